"""A connection with an end to its patience: it lasts so long and brings so many bytes, whatever the server does."""

from __future__ import annotations

import io
import socket
import time
from dataclasses import dataclass, replace
from typing import NamedTuple

from memdash.errors import BadAnswer, EndpointUnreachable
from memdash.network.address import Address
from memdash.units import duration

__all__ = ["USUAL", "Patience", "Peer", "Wire"]

_MOST_ADDRESSES = 4
"""A name may stand for many; each is given a part of the time."""
_LOOPBACKS = ("127.", "::1", "::ffff:127.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds: to connect, between two pieces of an answer, and for all of it together."""

    connect_s: float = 2.0
    read_s: float = 10.0
    total_s: float = 60.0

    def longer(self, seconds: float) -> Patience:
        """The same for an answer that is not to begin before so many seconds have passed."""
        return replace(self, read_s=self.read_s + seconds, total_s=self.total_s + seconds)


USUAL = Patience()


class Peer(NamedTuple):
    """Whom a connection has reached, as an address in numbers; ``is_here`` when that is one of this machine's."""

    host: str
    port: int
    is_here: bool


class Wire(io.RawIOBase):
    """A connected socket as a raw stream, for ``http.client`` or a protocol of its own.

    No more than ``most_bytes`` are read; whoever has read a header raises that. Every wait ends by the deadline. Raises
    EndpointUnreachable when there is no connection, or none any more in time; BadAnswer for too many bytes.
    """

    def __init__(self, address: Address, patience: Patience, most_bytes: int) -> None:
        super().__init__()
        self.most_bytes = most_bytes
        self._server = address.server
        self._patience = patience
        self._until_s = time.monotonic() + patience.total_s
        self._received = 0
        self._socket = self._connected(address)

    def _connected(self, address: Address) -> socket.socket:
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else None
            raise EndpointUnreachable(f"there is no server named {address.host}: {why or error}") from None
        failure: OSError = OSError("it has no address")
        until_s = time.monotonic() + self._patience.connect_s
        for family, kind, protocol, _, place in found[:_MOST_ADDRESSES]:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(max(until_s - time.monotonic(), 0.001))
                connection.connect(place)
                return self._secured(connection, address.host) if address.is_secure else connection
            except OSError as error:
                connection.close()
                failure = error
        raise EndpointUnreachable(f"nothing answers at {self._server}: {self._words(failure)}") from None

    def _secured(self, connection: socket.socket, host: str) -> socket.socket:
        import ssl  # 10 ms

        connection.settimeout(self._patience.read_s)
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)

    def _words(self, error: OSError) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {duration(self._patience.connect_s)}"
        told: str = getattr(error, "verify_message", "") or error.strerror or str(error)
        return told[:1].lower() + told[1:]

    @property
    def peer(self) -> Peer:
        """Who is at the other end. Raises EndpointUnreachable when there is nobody any more."""
        try:
            (host, port, *_), (own, *_) = self._socket.getpeername(), self._socket.getsockname()
        except OSError as error:
            raise EndpointUnreachable(f"{self._server} closed the connection early: {self._words(error)}") from None
        return Peer(host, port, own == host or host.startswith(_LOOPBACKS))

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]  # narrower than any buffer
        """Some bytes; 0 at the end."""
        self._wait_at_most(self._patience.read_s)
        if self._received >= self.most_bytes:
            raise BadAnswer(f"{self._server} sends more than what was asked for can be")
        try:
            count = self._socket.recv_into(buffer)
        except TimeoutError:
            raise self._late() from None
        except OSError as error:
            raise EndpointUnreachable(f"{self._server} closed the connection early: {self._words(error)}") from None
        self._received += count
        return count

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        self._wait_at_most(self._patience.read_s)
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise EndpointUnreachable(f"{self._server} takes no request: {self._words(error)}") from None

    def _wait_at_most(self, seconds: float) -> None:
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise self._late()
        self._socket.settimeout(min(seconds, left_s))

    def _late(self) -> EndpointUnreachable:
        if time.monotonic() < self._until_s:
            return EndpointUnreachable(f"{self._server} has sent nothing for {duration(self._patience.read_s)}")
        return EndpointUnreachable(
            f"{self._server} has not finished its answer within {duration(self._patience.total_s)}"
        )

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What ``http.client`` reads an answer from."""
        return io.BufferedReader(self)

    def break_off(self) -> None:
        """Have whoever waits for it fail now. From any thread."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        """Give the socket back. May be called twice."""
        self._socket.close()
        super().close()
