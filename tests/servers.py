"""Servers that behave as a test wants, on the loopback interface."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping

from memdash.network.address import Address
from memdash.network.wire import Patience

__all__ = ["IMPATIENT", "Behaviour", "Serve", "Server", "answer", "free_port", "serving"]

Behaviour = Callable[[socket.socket, str], None]

IMPATIENT = Patience(connect_s=0.2, read_s=0.15, total_s=0.3)


class Server:
    """Accepts connections and lets ``behave`` do with each what it likes, once a request (for a path) has been read."""

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
            request = connection.recv(1 << 16)
            self.requests.append(request)
            self._behave(connection, [*request.split(b" "), b""][1].decode(errors="replace"))

    def close(self) -> None:
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


Serve = Callable[..., Server]


@contextlib.contextmanager
def serving() -> Iterator[Serve]:
    """Start servers: ``serve(b"HTTP/1.1 200 OK\\r\\n\\r\\n")``, or with a function that is given each connection.

    A mapping of paths to answers serves these, and 404 for all others.
    """
    started: list[Server] = []

    def start(
        what: Behaviour | bytes | Mapping[str, bytes],
        family: socket.AddressFamily = socket.AF_INET,
        host: str = "127.0.0.1",
    ) -> Server:
        server = Server(_behaviour(what), family, host)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


def answer(body: bytes, content_type: str = "application/octet-stream", status: str = "200 OK") -> bytes:
    """All of an HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def free_port() -> int:
    """One of the loopback interface that was free a moment ago, for a server that cannot tell which it has taken."""
    with socket.create_server(("127.0.0.1", 0)) as asking:
        return int(asking.getsockname()[1])


def _behaviour(what: Behaviour | bytes | Mapping[str, bytes]) -> Behaviour:
    if isinstance(what, bytes):
        return lambda connection, _: connection.sendall(what)
    if isinstance(what, Mapping):
        return lambda connection, path: connection.sendall(what.get(path, answer(b"", status="404 Not Found")))
    return what
