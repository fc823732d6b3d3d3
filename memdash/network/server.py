"""A small HTTP server for those who ask now and then: one answer a connection, and nobody can make it wait.

A connection is read and answered by a thread of its own, lasts so many seconds altogether, and gives way when too many
others have come after it: whoever hangs or trickles takes a place for a while, and none of anybody else's time.
"""

from __future__ import annotations

import hmac
import io
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from memdash.errors import MemdashError, UsageError, defects_told

__all__ = ["Listen", "Page", "Server"]

_LASTS_S = 10.0
"""What a scraper gives up after, too."""
_CONNECTIONS = 32
_MOST_HEADER_BYTES = 16 << 10
_LOOPBACK = re.compile(r"localhost|::1|127\.\d+\.\d+\.\d+")
_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - only for who asks for it
_PLAIN = "text/plain; charset=utf-8"


class Listen(NamedTuple):
    """Where a server listens: a host of this machine, as a name or a number, and a port; 0 is any that is free."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Listen:
        """Read ``127.0.0.1:9464``, ``[::1]:9464``, ``9464`` (loopback) or ``:9464`` (every address). UsageError."""
        match = re.fullmatch(r"(?:(\[[0-9a-fA-F:.]+\]|[\w.-]*):)?(\d{1,5})", text, re.ASCII)
        if match is None or int(match[2]) > 0xFFFF:
            raise UsageError(f"{text!r} is no place to listen at", "write it like 127.0.0.1:9464")
        host = "127.0.0.1" if match[1] is None else match[1].strip("[]") or _EVERY_ADDRESS
        return cls(host, int(match[2]))

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine get there."""
        return _LOOPBACK.fullmatch(self.host) is not None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Page(NamedTuple):
    """What is answered: bytes, and what they are."""

    body: bytes
    content_type: str = _PLAIN


class Server:
    """Answers GET and HEAD with what ``pages`` have for a path; each is given the request's Accept header.

    With a ``token`` it has to stand in an Authorization header, as a bearer's. A page is made on the thread of the
    connection, and may be asked for by several at once; all that takes ``lasts_s`` at most. Raises UsageError when it
    cannot listen.
    """

    def __init__(
        self, listen: Listen, pages: Mapping[str, Callable[[str], Page]], token: str = "", lasts_s: float = _LASTS_S
    ) -> None:
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        try:
            self._http = _Http(family, listen, pages, token.encode(), lasts_s)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise UsageError(f"{listen} cannot be listened at: {why}", "choose another with --listen") from None
        self.listen = Listen(listen.host, self._http.server_address[1])
        self._thread = threading.Thread(target=self._http.serve_forever, name="memdash-server", daemon=True)

    def start(self) -> None:
        """Begin to answer; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more; who is being answered is broken off. May be called twice."""
        if self._thread.is_alive():
            _break_off(self._http.socket)  # wakes the thread, which looks twice a second by itself
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    """Keeps count of its connections: when each has to be over, in the order of their coming."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self,
        family: socket.AddressFamily,
        listen: Listen,
        pages: Mapping[str, Callable[[str], Page]],
        token: bytes,
        lasts_s: float,
    ) -> None:
        self.address_family = family
        self.pages = pages
        self.token = token
        self._lasts_s = lasts_s
        self._open: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        super().__init__((listen.host, listen.port), _Handler)

    def server_bind(self) -> None:
        """Bind, without asking a name server who we are, as the standard library would."""
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer it in a thread, and break off the oldest when there are too many."""
        with self._lock:
            if len(self._open) >= _CONNECTIONS:
                oldest = next(iter(self._open))
                del self._open[oldest]  # that its thread has not woken up yet must not save the next one
                _break_off(oldest)
            self._open[request] = time.monotonic() + self._lasts_s
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """It has been answered, or never will be."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Break off whose time is over: called twice a second, however little comes from them."""
        now_s = time.monotonic()
        with self._lock:
            for connection in [open_ for open_, until_s in self._open.items() if until_s < now_s]:
                _break_off(connection)

    def server_close(self) -> None:
        """Let go of the port and of everybody."""
        super().server_close()
        with self._lock:
            for connection in self._open:
                _break_off(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke concerns nobody else."""


def _break_off(connection: socket.socket) -> None:
    """Have its thread wake up and find it closed."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class _Handler(BaseHTTPRequestHandler):
    """One request. It speaks HTTP/1.0: the connection ends with the answer."""

    server: _Http
    timeout = _LASTS_S
    server_version, sys_version = "memdash", ""

    def setup(self) -> None:
        """Read no more of a request than a sane one can have."""
        super().setup()
        self.rfile = _Bounded(self.rfile, _MOST_HEADER_BYTES)

    def do_GET(self) -> None:
        """Answer with a page."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with what would be said of it."""
        self._answer()

    def _answer(self) -> None:
        page = self.server.pages.get(self.path.partition("?")[0])
        if not self._is_known():
            self._send(HTTPStatus.UNAUTHORIZED, Page(b"a token is needed\n"), {"WWW-Authenticate": "Bearer"})
        elif page is None:
            self._send(HTTPStatus.NOT_FOUND, Page(f"there is {' and '.join(self.server.pages)}\n".encode()))
        else:
            try:
                with defects_told():
                    found = page(self.headers.get("Accept", ""))
            except MemdashError as error:
                self._send(HTTPStatus.INTERNAL_SERVER_ERROR, Page(f"{error.what}\n".encode(errors="replace")))
            else:
                self._send(HTTPStatus.OK, found)

    def _is_known(self) -> bool:
        """Compared in a time that does not tell how much of it is right."""
        said = self.headers.get("Authorization", "").encode("latin-1", errors="replace")  # as it was decoded
        return not self.server.token or hmac.compare_digest(said, b"Bearer " + self.server.token)

    def _send(self, status: HTTPStatus, page: Page, also: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": page.content_type,
            "Content-Length": str(len(page.body)),
            **(also or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the standard library calls it
        """Nobody reads that."""


class _Bounded(io.BufferedIOBase):
    """A request that ends after so many bytes, whatever else is sent; it is read by lines."""

    def __init__(self, inner: io.BufferedIOBase, most_bytes: int) -> None:
        self._inner = inner
        self._left = most_bytes

    def readline(self, size: int | None = -1, /) -> bytes:
        """A line, or what is left to be read of it."""
        line = self._inner.readline(self._left if size is None or size < 0 else min(size, self._left))
        self._left -= len(line)
        if not self._left:
            raise ConnectionError("a request that is longer than any")
        return line

    def close(self) -> None:
        """Close it."""
        self._inner.close()
        super().close()
