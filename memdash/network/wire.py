"""A connection with an end to its patience: it lasts so long and brings so many bytes, whatever the server does."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from memdash.errors import BadAnswer, EndpointUnreachable
from memdash.network.address import Address
from memdash.units import duration

__all__ = ["MOST_BYTES", "USUAL", "Patience", "Peer", "Wire"]

MOST_BYTES = 64 << 20
"""No answer is longer."""
_MOST_ADDRESSES = 4
"""A name may stand for many; each is given a part of the time."""
_LOOPBACKS = ("127.", "::1", "::ffff:127.")
_Place: TypeAlias = tuple[int, int, int, Any]
"""Family, kind, protocol, address."""


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
    """A connection as a raw stream, for ``http.client`` or a protocol of its own, once it has been opened.

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
        self._address = address
        self._socket: socket.socket | None = None
        self._is_broken_off = False

    def open(self) -> None:
        """Connect. Raises EndpointUnreachable."""
        self._connect(self._resolved())
        if self._address.is_secure:
            self._secure()

    def _resolved(self) -> list[_Place]:
        """A name server that is silent is waited for no longer than a server: the system itself would for a minute."""
        address = self._address
        looked_up: list[list[_Place] | OSError | UnicodeError] = []

        def look_up(flags: int = 0) -> None:
            try:
                found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=flags)
            except (OSError, UnicodeError) as error:
                looked_up.append(error)
            else:
                looked_up.append([(family, kind, protocol, place) for family, kind, protocol, _, place in found])

        look_up(socket.AI_NUMERICHOST)
        if not isinstance(looked_up[-1], list):
            thread = threading.Thread(target=look_up, name="memdash-name", daemon=True)
            thread.start()
            thread.join(self._patience.connect_s)
            if thread.is_alive():
                waited = duration(self._patience.connect_s)
                raise EndpointUnreachable(f"who is named {address.host} has not been found out within {waited}")
        found = looked_up[-1]
        if isinstance(found, list):
            return found[:_MOST_ADDRESSES]
        why = found.strerror if isinstance(found, OSError) else None
        raise EndpointUnreachable(f"there is no server named {address.host}: {why or found}")

    def _connect(self, places: Sequence[_Place]) -> None:
        failure: OSError = OSError("it has no address")
        until_s = time.monotonic() + self._patience.connect_s
        for family, kind, protocol, place in places:
            if self._is_broken_off:
                break
            try:
                self._socket = socket.socket(family, kind, protocol)
                self._socket.settimeout(max(until_s - time.monotonic(), 0.001))
                self._socket.connect(place)
            except OSError as error:
                self._close_socket()
                failure = error
            else:
                return
        raise EndpointUnreachable(f"nothing answers at {self._server}: {self._words(failure)}")

    def _secure(self) -> None:
        import ssl  # 10 ms

        self._wait_at_most(self._patience.read_s)
        try:
            secured = ssl.create_default_context().wrap_socket(
                self._connected, server_hostname=self._address.host, do_handshake_on_connect=False
            )
            self._socket = secured
            self._wait_at_most(self._patience.read_s)
            secured.do_handshake()
        except TimeoutError:
            is_last = time.monotonic() >= self._until_s
            waited = duration(self._patience.total_s if is_last else self._patience.read_s)
            raise EndpointUnreachable(f"{self._server} has not finished its TLS handshake within {waited}") from None
        except (OSError, ValueError) as error:  # ValueError: it was broken off meanwhile
            words = self._words(error) if isinstance(error, OSError) else str(error)
            raise EndpointUnreachable(f"nothing answers at {self._server}: {words}") from None

    @property
    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise EndpointUnreachable(f"there is no connection to {self._server}")
        return self._socket

    def _words(self, error: OSError) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {duration(self._patience.connect_s)}"
        told: str = getattr(error, "verify_message", "") or error.strerror or str(error)
        return told[:1].lower() + told[1:]

    @property
    def peer(self) -> Peer:
        """Who is at the other end. Raises EndpointUnreachable when there is nobody any more."""
        try:
            (host, port, *_), (own, *_) = self._connected.getpeername(), self._connected.getsockname()
        except OSError as error:
            raise EndpointUnreachable(f"{self._server} closed the connection early: {self._words(error)}") from None
        host = host.partition("%")[0]
        return Peer(host, port, own.partition("%")[0] == host or host.startswith(_LOOPBACKS))

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]  # narrower than any buffer
        """Some bytes; 0 at the end."""
        self._wait_at_most(self._patience.read_s)
        if self._received >= self.most_bytes:
            raise BadAnswer(f"{self._server} sends more than what was asked for can be")
        try:
            count = self._connected.recv_into(buffer)
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
            self._connected.sendall(data)
        except OSError as error:
            raise EndpointUnreachable(f"{self._server} takes no request: {self._words(error)}") from None

    def _wait_at_most(self, seconds: float) -> None:
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise self._late()
        self._connected.settimeout(min(seconds, left_s))

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
        self._is_broken_off = True
        if self._socket is None:
            return
        try:
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # what TLS would do about it is not for this thread
        except OSError:
            return

    def close(self) -> None:
        """Give the socket back. May be called twice."""
        self._close_socket()
        super().close()

    def _close_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
