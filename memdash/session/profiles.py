"""The profile of a running process, as a document that pprof opens."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from memdash.errors import BadAnswer, ProbeError
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Profile
from memdash.model.snapshot import Snapshot
from memdash.model.target import Target
from memdash.network.address import Address
from memdash.pprof.convert import objects_document, sites_document
from memdash.pprof.document import Document, Mapping
from memdash.probes.endpoint import Endpoint
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.process.code import build_id, code_pieces
from memdash.session.live import read_once

__all__ = ["TakenProfile", "profile_at", "profile_of", "served_profile", "take_profile"]


def profile_at(address: Address) -> Document:
    """What a server has under a URL; the heap where that is the server itself or its net/http/pprof.

    Raises EndpointUnreachable, BadAnswer.
    """
    from memdash.probes.endpoint.profiles import fetched_from

    return fetched_from(address)


def served_profile(endpoint: Endpoint, target: Target, kind: str, seconds: int) -> TakenProfile:
    """A profile of ``kind`` as the target's endpoint serves it, or what changes of it in ``seconds`` (0: all of it).

    Raises ProbeError or TargetError when there is no endpoint, or none that serves it.
    """
    from memdash.network.client import Client
    from memdash.probes.endpoint.profiles import fetched

    pprof = endpoint.find(target).pprof
    if isinstance(pprof, Missing):
        raise BadAnswer(f"there is no profile to be had: {pprof.why}", pprof.hint)
    return TakenProfile(fetched(Client(pprof), kind, seconds))


@dataclass(frozen=True, slots=True)
class TakenProfile:
    """A profile of a process, and what a person should know about it: words for the terminal."""

    document: Document
    notes: tuple[str, ...] = ()


def take_profile(target: Target, entries: Sequence[ProbeEntry] = PROBES) -> TakenProfile:
    """Read the process once. Raises ProbeError when it has neither sites nor types, and what ``read_once`` raises."""
    return profile_of(read_once(target, entries=entries))


def profile_of(snapshot: Snapshot) -> TakenProfile:
    """The allocation sites of a moment, or else its live objects by type. Raises ProbeError when it has neither."""
    target, sample = snapshot.target, snapshot.sample
    taken_ns = round(snapshot.at.wall_s * 1_000_000_000)
    why = sample.sites
    if not isinstance(why, Missing):
        document = sites_document(why, tuple(_mappings(target, _pcs(why))), taken_ns)
        return TakenProfile(document, _caveats(snapshot, Capability.SITES))
    if isinstance(sample.objects, Missing):
        raise ProbeError(f"there is no profile to be had: {why.why}", why.hint or sample.objects.hint)
    notes = (f"these are live objects by type, for there are no allocation sites: {why.why}",)
    document = objects_document(sample.objects, tuple(_mappings(target, ())), taken_ns)
    return TakenProfile(document, notes + _caveats(snapshot, Capability.OBJECTS))


def _caveats(snapshot: Snapshot, capability: Capability) -> tuple[str, ...]:
    """What the reader of these facts says of their quality."""
    origin = snapshot.sample.origins.get(capability)
    return origin.caveats if origin is not None else ()


def _pcs(profile: Profile) -> set[int]:
    return set().union(*(site.pcs for site in profile.sites))


def _mappings(target: Target, pcs: Iterable[int]) -> Iterator[Mapping]:
    """The program first, then what else holds any of the addresses. Its names are resolved: pprof need not try."""
    if not target.is_local:
        return
    program = Mapping(file=target.exe or target.name, build_id=build_id(target.pid))
    pieces = list(code_pieces(target.pid))
    ordered = sorted(pcs)
    known = [piece for piece in pieces if _any_between(ordered, piece.start, piece.end)]
    own = next((piece for piece in (*known, *pieces) if piece.path == target.exe), None)
    if own is not None:
        program = program._replace(start=own.start, limit=own.end, offset=own.offset)
    others = [Mapping(piece.start, piece.end, piece.offset, piece.path) for piece in known if piece != own]
    for mapping in (program, *others):
        yield mapping._replace(has_functions=True, has_files=True, has_lines=True)


def _any_between(ordered: Sequence[int], start: int, end: int) -> bool:
    at = bisect_left(ordered, start)
    return at < len(ordered) and ordered[at] < end
