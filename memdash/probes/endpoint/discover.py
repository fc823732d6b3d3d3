"""Which of a URL, or of a process's own listening ports, is an endpoint of Go's: looked at before it is believed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from memdash.errors import (
    BadAnswer,
    EndpointUnreachable,
    MemdashError,
    ProbeError,
    UnsupportedRuntime,
    defects_told,
)
from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.network.address import Address
from memdash.network.client import Check, Client, anybody
from memdash.network.wire import MOST_BYTES, Patience
from memdash.probes.endpoint.memstats import HEAP_TEXT, of_expvar
from memdash.process.sockets import Listening, listening_on, shares_our_network

__all__ = ["INDEX_BYTES", "PPROF", "VARS_BYTES", "Found", "found_at", "found_in"]

PPROF = "/debug/pprof/"
"""Where net/http/pprof puts itself."""
VARS_BYTES = 4 << 20
"""What expvar may answer: a program may publish more than MemStats, but not that much."""
INDEX_BYTES = 1 << 20
"""What the list of net/http/pprof's profiles may take: a program may add some of its own."""
_PREFIXES = (PPROF, "/pprof/")
"""Where programs that put it elsewhere put it, with the usual place first."""
_VARS = "/debug/vars"
_TITLE = b"<title>/debug/pprof/</title>"
_PROFILES = ("heap", "allocs", "goroutine", "goroutineleak")
_AT_A_URL = Patience(total_s=10.0)
_AT_A_PORT = Patience(connect_s=0.3, read_s=0.5, total_s=1.0)
_QUESTIONS = 3
"""All of a server's answers together may take as long as so many."""
_MOST_PORTS = 16
_USUAL_PORT = 6060
_SHOWN_PORTS = 8
_NO_PPROF = Missing("net/http/pprof is not served there", 'import _ "net/http/pprof" and serve it')
_NO_VARS = Missing("expvar is not served there", 'import _ "expvar": it tells all of MemStats')


@dataclass(frozen=True, slots=True)
class Found:
    """Where net/http/pprof and expvar are: the folder of the one, the file of the other. At least one is there.

    Every request there goes through ``check``; ``doubt`` says why nothing but questions may go there.
    """

    pprof: Maybe[Address]
    vars: Maybe[Address]
    check: Check = anybody
    doubt: Missing | None = None

    @property
    def missing(self) -> Mapping[Capability, Missing]:
        """What they cannot give, of all that endpoints can."""
        if isinstance(self.pprof, Missing):
            return {Capability.SITES: self.pprof, Capability.TASKS: self.pprof}
        return {}

    @property
    def words(self) -> str:
        """For doctor and the alert log."""
        parts = {"net/http/pprof": self.pprof, "expvar": self.vars}
        found = [f"{name} at {place.url}" for name, place in parts.items() if not isinstance(place, Missing)]
        return f"answers over HTTP: {' and '.join(found)}"


def found_at(address: Address, patience: Patience = _AT_A_URL, check: Check = anybody) -> Found:
    """What a URL means: the server, the folder of net/http/pprof, or one of the files there.

    Raises EndpointUnreachable when nobody answers, BadAnswer when it is no such server, and what ``check`` raises.
    """
    search = _Search(patience, check)
    found = search.run(_folders(address), _is_pprof, address)
    if found is None:
        refusal = search.refusal
        if isinstance(refusal, EndpointUnreachable):
            raise refusal
        raise BadAnswer(
            f"there is neither net/http/pprof nor expvar at {address.url}: {refusal.what}",
            refusal.hint or "give the URL of the folder that net/http/pprof is served in",
        )
    return found


def found_in(target: Target, patience: Patience = _AT_A_PORT, check: Check = anybody) -> Found:
    """The first of a process's own listening ports that is an endpoint. Nobody else's are touched.

    Raises UnsupportedRuntime when there is none, AccessDenied, TargetExited, BadRead.
    """
    if not shares_our_network(target.pid):
        raise UnsupportedRuntime(
            "the process has a network of its own, as in a container: its ports are not reached from here",
            "give the URL by which they are: --endpoint http://host:port",
        )
    ports = sorted(set(listening_on(target.pid)), key=_likely)
    if not ports:
        raise UnsupportedRuntime("the process listens on no TCP port", "it serves no endpoints now")
    places = [Address(host=host, port=entry.port) for entry in ports[:_MOST_PORTS] for host in entry.reached_by]
    for found in _all_at_once(lambda place: _found_on(place, _Search(patience, check)), places):
        if found is not None:
            return found
    shown = ", ".join(str(port) for port in dict.fromkeys(entry.port for entry in ports[:_SHOWN_PORTS]))
    raise UnsupportedRuntime(
        f"none of the ports that it listens on ({shown}) serves net/http/pprof or expvar where they usually are",
        "if they are somewhere else, give the URL: --endpoint http://localhost:PORT/FOLDER/",
    )


def _all_at_once(ask: Callable[[Address], Found | None], places: Sequence[Address]) -> Sequence[Found | None]:
    """One that is silent holds up no other, nor the end of memdash, as the threads of an executor would."""
    answers: list[Found | None] = [None] * len(places)

    def fill(number: int) -> None:
        answers[number] = ask(places[number])

    threads = [threading.Thread(target=fill, args=(number,), daemon=True) for number in range(len(places))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _likely(listening: Listening) -> tuple[bool, bool, int]:
    return listening.port != _USUAL_PORT, not listening.host.startswith("127."), listening.port


_Test: TypeAlias = Callable[["_Search", Address], None]
"""Raises BadAnswer for what is something else."""


def _found_on(address: Address, search: _Search) -> Found | None:
    """What one port serves in the usual places; whoever is silent is not asked twice."""
    try:
        with defects_told():
            return search.run((address.at(prefix) for prefix in _PREFIXES), _is_index, address)
    except MemdashError:  # it is no longer the target's, or memdash may not tell
        return None


class _Search:
    """One search on one server: an end to all its questions together, and what has been refused so far."""

    def __init__(self, patience: Patience, check: Check) -> None:
        self._patience = patience
        self._check = check
        self._until_s = time.monotonic() + _QUESTIONS * patience.total_s
        self._refused: list[ProbeError] = []
        self._has_answered = False

    def run(self, folders: Iterable[Address], is_pprof: _Test, address: Address) -> Found | None:
        """What is there; None when nothing is. Raises EndpointUnreachable when the first question is not answered.

        Once there was an answer, a question without one takes nothing from what others have found.
        """
        pprof = self._first(folders, is_pprof)
        vars_ = self._first(_files(address, pprof), _is_vars)
        return Found(pprof or _NO_PPROF, vars_ or _NO_VARS) if pprof or vars_ else None

    @property
    def refusal(self) -> ProbeError:
        """Why nothing was found: somebody who did not answer in the end counts before those who did not know it."""
        silent = [error for error in self._refused if isinstance(error, EndpointUnreachable)]
        return (silent or self._refused)[0]

    def get(self, place: Address, query: str = "", most_bytes: int = MOST_BYTES) -> bytes:
        """Ask once, as long as there is time. Raises EndpointUnreachable, BadAnswer."""
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise EndpointUnreachable(f"{place.server} takes too long over its answers")
        patience = replace(self._patience, total_s=min(self._patience.total_s, left_s))
        return Client(place, patience, self._check).get(place.path, query, most_bytes=most_bytes).body

    def _first(self, places: Iterable[Address], suits: _Test) -> Address | None:
        for place in places:
            try:
                suits(self, place)
            except BadAnswer as error:
                self._has_answered = True
                self._refused.append(error)
            except EndpointUnreachable as error:
                if not self._has_answered:
                    raise
                self._refused.append(error)
            else:
                self._has_answered = True
                return place
        return None


def _folders(address: Address) -> Iterator[Address]:
    """Where net/http/pprof may be when a person gives this URL, most likely first."""
    path = address.path
    folder, _, last = path.rpartition("/")
    if last in _PROFILES:
        yield address.at(f"{folder}/")
        return
    if last == "vars":
        yield address.at(f"{folder}/pprof/")
        return
    base = path if path.endswith("/") else f"{path}/"
    if base != "/":
        yield address.at(base)
    for prefix in _PREFIXES:
        yield address.at(base.removesuffix("/") + prefix)


def _files(address: Address, pprof: Address | None) -> Iterator[Address]:
    """Where expvar may be: beside net/http/pprof, where a person says, or where it usually is."""
    places = [address.path.rstrip("/"), address.path.rstrip("/") + _VARS, _VARS]
    if pprof is not None:
        places.insert(0, pprof.path.removesuffix("pprof/") + "vars")
    for path in dict.fromkeys(place for place in places if place.endswith("/vars")):
        yield address.at(path)


def _is_index(search: _Search, place: Address) -> None:
    if _TITLE not in search.get(place, most_bytes=INDEX_BYTES):
        raise BadAnswer(f"{place.url} answers with something else")


def _is_pprof(search: _Search, place: Address) -> None:
    """By its index, or where that is not served by the beginning of a heap profile in text form."""
    try:
        _is_index(search, place)
    except BadAnswer:
        if not search.get(place.at("heap"), "debug=1").startswith(HEAP_TEXT):
            raise


def _is_vars(search: _Search, place: Address) -> None:
    of_expvar(search.get(place, most_bytes=VARS_BYTES))
