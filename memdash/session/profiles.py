"""The profile of a running process, as a document that pprof opens."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from weakref import ref

from memdash.errors import BadAnswer, ProbeError, TargetError
from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.objects import Objects
from memdash.model.profile import Profile
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Runtime, Target
from memdash.model.tasks import TaskKind
from memdash.network.address import Address
from memdash.pprof.convert import objects_document, sites_document, tasks_document
from memdash.pprof.document import Document, Mapping
from memdash.pprof.taken import Files, TakenProfile
from memdash.probes.endpoint import Endpoint
from memdash.probes.narrowed import narrowed
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.process.code import build_id, code_pieces
from memdash.session.live import read_once
from memdash.units import file_time

__all__ = [
    "facts_of",
    "files_of",
    "is_first_reading",
    "profile_at",
    "profile_before",
    "profile_name",
    "profile_of",
    "profiled",
    "read_at",
    "served_profile",
    "take_profile",
    "take_tasks",
    "tasks_of",
]

_OTHERS = Missing("these are no allocation sites")


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

    found = endpoint.find(target)
    if isinstance(found.pprof, Missing):
        raise BadAnswer(f"there is no profile to be had: {found.pprof.why}", found.pprof.hint)
    return TakenProfile(fetched(Client(found.pprof, check=found.check), kind, seconds))


def take_profile(target: Target, entries: Sequence[ProbeEntry] = PROBES) -> TakenProfile:
    """Read the process once. Raises ProbeError when it has neither sites nor types, and what ``read_once`` raises."""
    return profile_of(read_once(target, entries=entries))


def take_tasks(target: Target, kind: TaskKind, entries: Sequence[ProbeEntry] = PROBES) -> TakenProfile:
    """Read the tasks of the process once, and nothing else. Raises as ``tasks_of`` and ``read_once`` do."""
    return tasks_of(read_once(target, entries=narrowed(entries, {Capability.TASKS: 0.0})), kind)


def tasks_of(snapshot: Snapshot, kind: TaskKind) -> TakenProfile:
    """The tasks of one kind at a moment, by stack. Raises ProbeError when there are none, or nobody knows where."""
    tasks, target = snapshot.sample.tasks, snapshot.target
    if isinstance(tasks, Missing):
        raise ProbeError(f"there is no profile of {kind.words(0)} to be had: {tasks.why}", tasks.hint)
    stacks = [task.stack for task in tasks.groups if task.kind is kind]
    if not stacks and kind is TaskKind.ASYNCIO and _is_without_agent(snapshot):
        again = "memdash record --agent records them" if snapshot.is_replayed else "--agent brings it for a moment"
        raise ProbeError(f"its {kind.words(0)} are told by memdash's agent alone, which is not there", again)
    if not stacks:
        others = " or ".join(sorted({task.kind.value for task in tasks.groups}))
        raise ProbeError(f"no {kind.words(0)} of it are known", f"--type {others}" if others else "")
    if not any(stacks):
        raise ProbeError(f"where its {kind.words(0)} stand is not told", "memdash doctor PID says what can be read")
    origin = snapshot.sample.origins.get(Capability.TASKS)
    at = snapshot.at if origin is None else origin.at
    mappings = tuple(_mappings(target, (), is_there=_is_there(snapshot)))
    document = tasks_document(tasks, kind, mappings, round(at.wall_s * 1_000_000_000))
    return TakenProfile(document, _caveats(snapshot, Capability.TASKS), files_of(snapshot))


def _is_without_agent(snapshot: Snapshot) -> bool:
    return snapshot.target.runtime is Runtime.CPYTHON and isinstance(snapshot.sample.malloc, Missing)


def profiled(snapshot: Snapshot) -> Capability:
    """Whose facts ``profile_of`` makes a profile of: allocation sites, or objects where there are none."""
    return Capability.OBJECTS if isinstance(snapshot.sample.sites, Missing) else Capability.SITES


def read_at(snapshot: Snapshot) -> Instant:
    """When the facts of ``profile_of`` were read: costly ones are read more seldom than the rest of the moment."""
    origin = snapshot.sample.origins.get(profiled(snapshot))
    return snapshot.at if origin is None else origin.at


def is_first_reading(snapshot: Snapshot) -> bool:
    """Whether those are the very ones that changes count from: nothing can be said of changes before the next."""
    since = snapshot.since.get(profiled(snapshot))
    return since is not None and read_at(snapshot).mono_s <= since.mono_s


def profile_of(snapshot: Snapshot) -> TakenProfile:
    """The allocation sites of a moment, or else its live objects by type. Raises ProbeError when it has neither."""
    sample = snapshot.sample
    notes: tuple[str, ...] = ()
    if isinstance(sample.sites, Missing):
        helps = f"; {sample.sites.hint}" if sample.sites.hint else ""
        notes = (f"these are live objects by type, for there are no allocation sites: {sample.sites.why}{helps}",)
    made = _document(snapshot, sample.sites, sample.objects, read_at(snapshot))
    return replace(made, notes=notes + _caveats(snapshot, profiled(snapshot)))


def profile_before(snapshot: Snapshot) -> TakenProfile:
    """The same as it was at the moment that changes count from. Raises ProbeError when nothing was read then."""
    capability = profiled(snapshot)
    at = snapshot.since.get(capability, snapshot.baseline.at)
    sites = snapshot.before.sites if capability is Capability.SITES else snapshot.sample.sites
    objects = snapshot.before.objects if capability is Capability.OBJECTS else _OTHERS
    return _document(snapshot, sites, objects, at)


def facts_of(snapshot: Snapshot) -> tuple[object, object]:
    """What both are made of: while these are the same objects, the profiles are the same too."""
    if profiled(snapshot) is Capability.SITES:
        return snapshot.sample.sites, snapshot.before.sites
    return snapshot.sample.objects, snapshot.before.objects


def profile_name(snapshot: Snapshot) -> str:
    """A name to save it under, by when it was read: ``shop-server-41287-20260131-120741.heap.pb.gz``."""
    return f"{snapshot.target.file_name}-{file_time(read_at(snapshot).wall_s)}.heap.pb.gz"


class _Documents:
    """Documents of the newest sites and of those before, for as long as these are at hand.

    One of 30 000 stacks takes a quarter of a second each time a view is opened, and 9 MiB.
    """

    def __init__(self) -> None:
        self._held: tuple[tuple[ref[Profile], Document], ...] = ()

    def of(self, sites: Profile, make: Callable[[], Document]) -> Document:
        """That of ``sites``, by what ``make`` returns unless it is held. For any thread: at worst one is made twice."""
        held = next((document for at, document in self._held if at() is sites), None)
        if held is None:
            held = make()
            self._held = (*self._held[-1:], (ref(sites, self._forget), held))
        return held

    def _forget(self, gone: ref[Profile]) -> None:
        self._held = tuple([pair for pair in self._held if pair[0] is not gone])


_DOCUMENTS = _Documents()


def _document(snapshot: Snapshot, sites: Maybe[Profile], objects: Maybe[Objects], at: Instant) -> TakenProfile:
    target, taken_ns, is_there = snapshot.target, round(at.wall_s * 1_000_000_000), _is_there(snapshot)
    if not isinstance(sites, Missing):
        document = _DOCUMENTS.of(
            sites, lambda: sites_document(sites, tuple(_mappings(target, _pcs(sites), is_there=is_there)), taken_ns)
        )
        document = replace(document, time_ns=taken_ns)
    elif not isinstance(objects, Missing):
        document = objects_document(objects, tuple(_mappings(target, (), is_there=is_there)), taken_ns)
    else:
        raise ProbeError(f"there is no profile to be had: {sites.why}", sites.hint or objects.hint)
    return TakenProfile(document, files=files_of(snapshot))


def _is_there(snapshot: Snapshot) -> bool:
    """Whether its pid is still its own; else it may be another's by now."""
    return snapshot.ending is None and not snapshot.is_replayed


def files_of(snapshot: Snapshot) -> Files:
    """Where the source files of the target are; in our own file system once it has ended: its own is gone then."""
    target = snapshot.target
    if not target.is_local:
        return Files()
    root = "" if snapshot.state is State.ENDED or snapshot.is_replayed else f"/proc/{target.pid}/root"
    try:
        folder = root and root + str(Path(f"/proc/{target.pid}/cwd").readlink())
    except OSError:  # it is another user's, or ends just now
        folder = ""
    return Files(root, folder, target.started_at_s)


def _caveats(snapshot: Snapshot, capability: Capability) -> tuple[str, ...]:
    """What the reader of these facts says of their quality."""
    origin = snapshot.sample.origins.get(capability)
    return origin.caveats if origin is not None else ()


def _pcs(profile: Profile) -> set[int]:
    return set().union(*(site.pcs for site in profile.sites))


def _mappings(target: Target, pcs: Iterable[int], *, is_there: bool) -> Iterator[Mapping]:
    """The program first, then what else holds any of the addresses. Its names are resolved: pprof need not try."""
    if not target.is_local:
        return
    program = Mapping(file=target.exe or target.name, build_id=build_id(target.pid) if is_there else "")
    try:
        pieces = list(code_pieces(target.pid)) if is_there else []
    except TargetError:  # it is another user's, or has ended, and its profile can be looked at for ever
        pieces = []
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
