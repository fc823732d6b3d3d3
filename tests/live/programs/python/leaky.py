"""A service that keeps what each request brings: under gunicorn, or with workers that it forks itself.

It says where it listens, ``ready PORT``; each answer is the pid of who gave it, and its allocators when ``/allocators``
is asked for. ``/work`` keeps nothing.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from allocators import allocators  # type: ignore[import-not-found]  # it stands beside this file

sessions: list[bytes] = []


def remember(size: int) -> None:
    sessions.append(bytes(size))


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    told: dict[str, object] = {"pid": os.getpid()}
    if environ["PATH_INFO"] == "/allocators":
        told["allocators"] = allocators()
    elif environ["PATH_INFO"] == "/keep":
        remember(20_000)
    body = json.dumps(told).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


def main() -> None:
    server = WSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(app)
    children = []
    for _ in range(2):
        pid = os.fork()
        if not pid:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            server.serve_forever()
        children.append(pid)

    def leave(*_: object) -> None:
        for child in children:
            os.kill(child, signal.SIGTERM)
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)
    sys.stdout.write(f"ready {server.server_port}\n")
    sys.stdout.flush()
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
