"""One HTTP request at a time, over a connection of its own, with an answer that is bounded or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, IncompleteRead
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from memdash import __version__
from memdash.errors import BadAnswer, EndpointUnreachable
from memdash.network.address import Address
from memdash.network.calls import Calls
from memdash.network.wire import MOST_BYTES, USUAL, Patience, Peer, Wire
from memdash.plain import excerpt
from memdash.units import byte_size

__all__ = ["Answer", "Check", "Client", "anybody"]

Check: TypeAlias = Callable[[Peer], object]
"""Is told whom a connection has reached, and raises what shall become of the question."""

_HEADER_BYTES = 64 << 10
_PIECE_BYTES = 64 << 10
_MOST_THANKS_BYTES = 64 << 10
"""What a server may answer to something that it was sent."""

_HINTS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "memdash sends no passwords; ask a port that wants none",
    HTTPStatus.FORBIDDEN: "memdash sends no passwords; ask a port that wants none",
}
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_LONGEST_PAUSE_S = 3600.0
"""No server is left alone for longer, whatever it wants."""


class Answer(NamedTuple):
    """What ``url`` gave with status 200; ``content_type`` without its parameters, in lower case."""

    body: bytes
    content_type: str
    url: str


def anybody(_peer: Peer) -> None:
    """Whoever answers is asked."""


class Client:
    """Asks one server. ``get`` belongs to one thread at a time, ``cancel`` to any.

    ``check`` hears of each connection before anything is sent over it.
    """

    def __init__(self, address: Address, patience: Patience = USUAL, check: Check = anybody) -> None:
        self.address = address
        self._patience = patience
        self._check = check
        self._calls = Calls()

    def get(self, path: str = "", query: str = "", *, longer_s: float = 0.0, most_bytes: int = MOST_BYTES) -> Answer:
        """Ask for ``path`` below the client's address, or from a slash on, and wait for all of it.

        ``longer_s`` is what the answer may take more than others; ``most_bytes`` what it may hold. Raises
        EndpointUnreachable when there is no answer in time, or only a part of one; BadAnswer for another status than
        200 (so for a redirect), too much content, and what is not HTTP.
        """
        place = self.address.at(path, query)
        return self._asked(_Request("GET", place), self._patience.longer(longer_s), most_bytes)

    def post(
        self, body: bytes, content_type: str, path: str = "", query: str = "", headers: Mapping[str, str] = _NO_HEADERS
    ) -> Answer:
        """Send ``body`` and wait for an answer, which may hold 64 KiB.

        It goes to ``path`` below the client's address, or from a slash on; without one to that address as it is.
        ``headers`` are sent as they are: no control characters. Raises what ``get`` raises, BadAnswer for any status
        that is not a success.
        """
        place = self.address.at(path, query) if path or query else self.address
        request = _Request("POST", place, body, content_type, headers)
        return self._asked(request, self._patience, _MOST_THANKS_BYTES)

    def _asked(self, request: _Request, patience: Patience, most_bytes: int) -> Answer:
        place = request.place
        wire = Wire(place, patience, _HEADER_BYTES)
        try:
            with self._calls.over(wire), self._response(wire, request) as response:
                response.begin()
                _require_ok(response, request)
                wire.most_bytes += most_bytes
                body = _body(response, place, most_bytes)
                return Answer(body, response.headers.get_content_type(), place.url)
        except IncompleteRead:
            raise _cut_off(place) from None
        except ConnectionError:
            raise EndpointUnreachable(f"{place.server} closed the connection without an answer") from None
        except (HTTPException, ValueError) as error:  # ValueError: numbers of a header that are none
            what = excerpt(str(error)) or type(error).__name__
            raise BadAnswer(f"{place.server} does not speak HTTP: {what}") from None

    def cancel(self) -> None:
        """Have the request that is under way fail soon, and every later one."""
        self._calls.cancel()

    def _response(self, wire: Wire, request: _Request) -> HTTPResponse:
        self._check(wire.peer)
        wire.sendall(request.sent)
        return HTTPResponse(wire, method=request.method)  # type: ignore[arg-type]  # all it wants is makefile()


class _Request(NamedTuple):
    """What is asked of, or sent to, ``place``; there is a ``body`` where its type is named."""

    method: str
    place: Address
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = _NO_HEADERS

    @property
    def sent(self) -> bytes:
        lines = [
            f"{self.method} {self.place.resource} HTTP/1.1",
            f"Host: {self.place.header}",
            f"User-Agent: memdash/{__version__}",
            "Accept: */*",
            "Accept-Encoding: identity",
            "Connection: close",
        ]
        if self.content_type:
            lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii") + self.body

    def accepts(self, status: int) -> bool:
        """What is sent may be answered by any success, 204 too; what is asked for must be there."""
        if self.content_type:
            return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
        return status == HTTPStatus.OK


def _require_ok(response: HTTPResponse, request: _Request) -> None:
    status, place = response.status, request.place
    if request.accepts(status):
        return
    where = excerpt(response.headers.get("Location", ""))
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST and where:
        raise BadAnswer(
            f"{place.url} answers with a redirect to {where}, which memdash does not follow",
            "give that URL if you mean it",
            status=status,
        )
    reason = excerpt(response.reason or "")
    raise BadAnswer(
        f"{place.url} answers {status} {reason}".rstrip() + _explained(response),
        "" if request.content_type else _HINTS.get(status, ""),
        status=status,
        retry_after_s=_seconds(response.headers.get("Retry-After", "")),
    )


def _seconds(text: str) -> float:
    """A Retry-After in seconds; a date is not asked of our clock, which may be another."""
    return min(float(text), _LONGEST_PAUSE_S) if text.isascii() and text.isdecimal() and len(text) < 10 else 0.0


def _explained(response: HTTPResponse) -> str:
    """The first line that Go's servers send with an error, where it says more than the status."""
    if response.status == HTTPStatus.NOT_FOUND or response.headers.get_content_type() != "text/plain":
        return ""
    line = response.read(_PIECE_BYTES).decode(errors="replace").strip().partition("\n")[0]
    return f": {excerpt(line)}" if line else ""


def _body(response: HTTPResponse, place: Address, most_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := response.read(_PIECE_BYTES):
        size += len(piece)
        if size > most_bytes:
            raise BadAnswer(f"{place.url} answers with more than {byte_size(most_bytes)}")
        pieces.append(piece)
    if response.length:  # so many bytes were promised and have not come
        raise _cut_off(place)
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding != "identity":
        packed = excerpt(encoding)
        raise BadAnswer(f"{place.url} packs its answer as {packed}, which was not asked for")
    return b"".join(pieces)


def _cut_off(place: Address) -> EndpointUnreachable:
    return EndpointUnreachable(f"{place.server} closed the connection in the middle of its answer")
