"""The load: visits over loopback, so many a second."""

from __future__ import annotations

import asyncio
import random


async def visit(host: str, port: int, per_second: int) -> None:
    """Visit random products until cancelled; an answer that does not come is no concern of the visitor's."""
    while True:
        await asyncio.sleep(1 / per_second)
        try:
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET /product/%d HTTP/1.0\r\n\r\n" % random.randrange(1000))
            await reader.read()
            writer.close()
        except OSError:
            continue
