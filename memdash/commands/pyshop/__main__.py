"""Run the shop until a signal asks it to end."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import signal

from memdash.commands.pyshop.shop import Shop
from memdash.commands.pyshop.visitor import visit

MIB = 1 << 20
MOST_MAPPED = 768 * MIB
"""Some minutes of leaking away, so that there is an end to foresee; the leak stops before."""


async def serve(visits: int, leak_limit: int) -> None:
    """Run the shop and its visitors until a signal asks to end."""
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    shop = Shop(leak_limit)
    server = await asyncio.start_server(shop.answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"shop on http://{host}:{port}", flush=True)  # noqa: T201 - a program of its own
    shop.start()
    visitors = asyncio.ensure_future(visit(host, port, visits))
    await over.wait()
    visitors.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await visitors
    server.close()


def main() -> None:
    """Take the options and serve."""
    parser = argparse.ArgumentParser(prog="pyshop", description="A small web shop with a memory leak.")
    parser.add_argument("--visits", type=int, default=120, help="visits a second")
    parser.add_argument("--leak-limit", type=int, default=256, help="stop leaking once so many MiB are held")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MAPPED, hard))
    asyncio.run(serve(options.visits, options.leak_limit * MIB))


if __name__ == "__main__":
    main()
