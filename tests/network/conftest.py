"""Servers that misbehave, on the loopback interface."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from memdash.network.address import Address
from memdash.network.wire import Patience

Behaviour = Callable[[socket.socket], None]
Serve = Callable[..., Address]

IMPATIENT = Patience(connect_s=0.2, read_s=0.15, total_s=0.3)


class Server:
    """Accepts connections and lets ``behave`` do with each what it likes, once the request has been read."""

    def __init__(self, behave: Behaviour, family: socket.AddressFamily, host: str) -> None:
        self._listener = socket.create_server((host, 0), family=family)
        self._behave = behave
        self.address = Address(host=host, port=self._listener.getsockname()[1])
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.requests.append(connection.recv(1 << 16))
            self._behave(connection)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers: ``serve(b"HTTP/1.1 200 OK\\r\\n\\r\\n")``, or with a function that is given each connection."""
    started: list[Server] = []

    def start(
        behave: Behaviour | bytes, family: socket.AddressFamily = socket.AF_INET, host: str = "127.0.0.1"
    ) -> Server:
        answer = behave
        server = Server((lambda c: c.sendall(answer)) if isinstance(answer, bytes) else answer, family, host)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()
