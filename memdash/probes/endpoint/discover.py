"""Which of a URL, or of a process's own listening ports, is an endpoint of Go's: looked at before it is believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from memdash.errors import BadAnswer, EndpointUnreachable, ProbeError, UnsupportedRuntime
from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.network.address import Address
from memdash.network.client import Client
from memdash.network.wire import Patience
from memdash.probes.endpoint.memstats import HEAP_TEXT, of_expvar
from memdash.process.sockets import Listening, listening_on, shares_our_network

__all__ = ["PPROF", "VARS_BYTES", "Found", "found_at", "found_in", "require_of"]

PPROF = "/debug/pprof/"
"""Where net/http/pprof puts itself."""
VARS_BYTES = 4 << 20
"""What expvar may answer: a program may publish more than MemStats, but not that much."""
_PREFIXES = (PPROF, "/pprof/")
"""Where programs that put it elsewhere put it, with the usual place first."""
_VARS = "/debug/vars"
_INDEX_BYTES = 1 << 20
_CMDLINE_BYTES = 1 << 20
_TITLE = b"<title>/debug/pprof/</title>"
_PROFILES = ("heap", "allocs", "goroutine", "goroutineleak")
_AT_A_URL = Patience(total_s=20.0)
_AT_A_PORT = Patience(connect_s=0.3, read_s=0.5, total_s=1.0)
_MOST_PORTS = 16
_USUAL_PORT = 6060
_SHOWN_PORTS = 8
_NO_PPROF = Missing("net/http/pprof is not served there", 'import _ "net/http/pprof" and serve it')
_NO_VARS = Missing("expvar is not served there", 'import _ "expvar": it tells all of MemStats')


@dataclass(frozen=True, slots=True)
class Found:
    """Where net/http/pprof and expvar are: the folder of the one, the file of the other. At least one is there."""

    pprof: Maybe[Address]
    vars: Maybe[Address]

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What they can give."""
        return frozenset({Capability.MEMSTATS, Capability.GC, Capability.SITES, Capability.TASKS} - self.missing.keys())

    @property
    def missing(self) -> Mapping[Capability, Missing]:
        """What they cannot."""
        if isinstance(self.pprof, Missing):
            return {Capability.SITES: self.pprof, Capability.TASKS: self.pprof}
        return {}

    @property
    def words(self) -> str:
        """For doctor and the alert log."""
        parts = {"net/http/pprof": self.pprof, "expvar": self.vars}
        found = [f"{name} at {place.url}" for name, place in parts.items() if not isinstance(place, Missing)]
        return f"answers over HTTP: {' and '.join(found)}"


def found_at(address: Address, patience: Patience = _AT_A_URL) -> Found:
    """What a URL means: the server, the folder of net/http/pprof, or one of the files there.

    Raises EndpointUnreachable when nobody answers, BadAnswer when it is no such server.
    """
    refused: list[BadAnswer] = []
    pprof = next((place for place in _folders(address) if _is_pprof(place, patience, refused)), None)
    vars_ = next((place for place in _files(address, pprof) if _is_vars(place, patience, refused)), None)
    if pprof is None and vars_ is None:
        raise BadAnswer(
            f"there is neither net/http/pprof nor expvar at {address.url}: {refused[0].what}",
            refused[0].hint or "give the URL of the folder that net/http/pprof is served in",
        )
    return Found(pprof or _NO_PPROF, vars_ or _NO_VARS)


def found_in(target: Target, patience: Patience = _AT_A_PORT) -> Found:
    """The first of a process's own listening ports that is an endpoint. Nobody else's are touched.

    Raises UnsupportedRuntime when there is none, AccessDenied, TargetExited.
    """
    if not shares_our_network(target.pid):
        raise UnsupportedRuntime(
            "the process has a network of its own, as in a container: its ports are not reached from here",
            "give the URL by which they are: --endpoint http://host:port",
        )
    ports = sorted(set(listening_on(target.pid)), key=_likely)
    if not ports:
        raise UnsupportedRuntime("the process listens on no TCP port", "it serves no endpoints now")
    places = [Address(host=host, port=entry.port) for entry in ports[:_MOST_PORTS] for host in _hosts(entry)]
    with ThreadPoolExecutor(len(places)) as asking:  # one that is silent holds up no other
        answers = list(asking.map(lambda place: _found_on(place, patience), places))
    for found in answers:
        if found is not None:
            return found
    shown = ", ".join(str(port) for port in dict.fromkeys(entry.port for entry in ports[:_SHOWN_PORTS]))
    raise UnsupportedRuntime(
        f"none of the ports that it listens on ({shown}) serves net/http/pprof or expvar where they usually are",
        "if they are somewhere else, give the URL: --endpoint http://localhost:PORT/FOLDER/",
    )


def require_of(target: Target, found: Found) -> None:
    """Make sure that an endpoint is the target's. Raises BadAnswer when its command line is another one."""
    if isinstance(found.pprof, Missing):
        return
    try:
        told = Client(found.pprof).get("cmdline", most_bytes=_CMDLINE_BYTES).body
    except BadAnswer:
        return  # it is not served, and so not held against it
    argv = told.decode(errors="backslashreplace").split("\0")
    if target.argv and list(target.argv) != argv:
        raise BadAnswer(
            f"{found.pprof.url} is not of process {target.pid}: it is served by {' '.join(argv)[:200]!r}",
            f"memdash --url {found.pprof.url} watches that one",
        )


def _likely(listening: Listening) -> tuple[bool, bool, int]:
    return listening.port != _USUAL_PORT, not listening.host.startswith("127."), listening.port


def _hosts(listening: Listening) -> Sequence[str]:
    """The address to reach it by; what listens on all addresses is reached by the loopback's."""
    if listening.host == "0.0.0.0":  # noqa: S104 - compared, not bound
        return ("127.0.0.1",)
    return ("127.0.0.1", "::1") if listening.host == "::" else (listening.host,)


def _found_on(address: Address, patience: Patience) -> Found | None:
    """What one port serves in the usual places; whoever is silent or talks nonsense is not asked twice."""
    refused: list[BadAnswer] = []
    try:
        folders = (address.at(prefix) for prefix in _PREFIXES)
        pprof = next((place for place in folders if _is_index(place, patience, refused)), None)
        vars_ = next((place for place in _files(address, pprof) if _is_vars(place, patience, refused)), None)
    except EndpointUnreachable:
        return None
    return Found(pprof or _NO_PPROF, vars_ or _NO_VARS) if pprof or vars_ else None


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


def _is_index(place: Address, patience: Patience, refused: list[BadAnswer]) -> bool:
    try:
        body = Client(place, patience).get(most_bytes=_INDEX_BYTES).body
    except BadAnswer as error:
        refused.append(error)
        return False
    if _TITLE not in body:
        refused.append(BadAnswer(f"{place.url} answers with something else"))
        return False
    return True


def _is_pprof(place: Address, patience: Patience, refused: list[BadAnswer]) -> bool:
    """By its index, or where that is not served by the beginning of a heap profile in text form."""
    if _is_index(place, patience, refused):
        return True
    try:
        return Client(place, patience).get("heap", "debug=1").body.startswith(HEAP_TEXT)
    except BadAnswer:
        return False


def _is_vars(place: Address, patience: Patience, refused: list[BadAnswer]) -> bool:
    try:
        of_expvar(Client(place, patience).get(most_bytes=VARS_BYTES).body)
    except ProbeError as error:
        if not isinstance(error, BadAnswer):
            raise
        refused.append(error)
        return False
    return True
