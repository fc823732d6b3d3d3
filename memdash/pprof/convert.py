"""memdash's own profiles as documents that pprof opens.

What pprof itself leaves out of a Go heap profile is left out too: the functions of the runtime that a stack begins
with, and its end. Source: runtime/pprof/protomem.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from memdash.model.missing import Missing
from memdash.model.objects import Objects
from memdash.model.profile import OF_GO, Frame, Profile
from memdash.model.tasks import Task, TaskKind, Tasks
from memdash.pprof.document import Document, Function, Label, Line, Location, Mapping, Sample, ValueType

__all__ = ["objects_document", "sites_document", "tasks_document"]

_SPACE = ValueType("space", "bytes")
_INUSE = (ValueType("inuse_objects", "count"), ValueType("inuse_space", "bytes"))
_ALLOC = (ValueType("alloc_objects", "count"), ValueType("alloc_space", "bytes"))
_DEFAULT = "inuse_space"
_BOTTOM = "runtime.goexit"
_LARGEST = (1 << 63) - 1
_UNKNOWN_TYPE = "(type unknown)"

Call = tuple[Frame, int]
"""A frame and its return address, 0 when it has none."""


def sites_document(profile: Profile, mappings: Sequence[Mapping], taken_ns: int) -> Document:
    """Allocation sites, one sample a stack, without what the profile does not know; ``taken_ns`` is Unix time."""
    places = _Places(mappings)
    sums: dict[tuple[int, ...], list[int]] = {}
    for stack, usage, pcs, _ in profile.sites:
        held = sums.setdefault(places.shown(stack, pcs), [0, 0, 0, 0])
        held[0] += usage.alloc_objects
        held[1] += usage.alloc_bytes
        held[2] += usage.inuse_objects
        held[3] += usage.inuse_bytes
    places.leave_out(sums)
    unknown = 0 if profile.no_alloc is None else len(_ALLOC)
    return Document(
        sample_types=(_ALLOC + _INUSE)[unknown:],
        samples=tuple([Sample(stack, tuple(map(_fitting, held[unknown:]))) for stack, held in sums.items()]),
        locations=places.locations,
        mappings=tuple(mappings),
        default_type=_DEFAULT,
        period_type=_SPACE,
        period=_fitting(profile.sample_rate_bytes),
        time_ns=taken_ns,
    )


def objects_document(objects: Objects, mappings: Sequence[Mapping], taken_ns: int) -> Document:
    """Live objects, each type as a frame of its own; ``taken_ns`` is Unix time."""
    places = _Places(mappings)
    rows = [(row.name, row.objects, row.held_bytes) for row in objects.types]
    if objects.unknown_bytes:
        rows.append((_UNKNOWN_TYPE, 0, objects.unknown_bytes))
    samples = tuple(
        Sample((places[Frame(name, "", 0), 0],), (_fitting(count), _fitting(size))) for name, count, size in rows
    )
    return Document(
        sample_types=_INUSE,
        samples=samples,
        locations=places.locations,
        mappings=tuple(mappings),
        default_type=_DEFAULT,
        period_type=_SPACE,
        period=1,
        time_ns=taken_ns,
    )


def tasks_document(tasks: Tasks, kind: TaskKind, mappings: Sequence[Mapping], taken_ns: int) -> Document:
    """Tasks of one kind as runtime/pprof counts goroutines, one sample a group; ``taken_ns`` is Unix time.

    Stacks are those that Go prints: without the runtime's functions that a goroutine waits in, which its ``state`` says
    in a word. That, ``created_by`` and ``waiting`` (at least so many seconds) are labels.
    """
    places = _Places(mappings)
    counted = ValueType(kind.value, "count")
    samples = tuple(
        Sample(tuple([places[frame, 0] for frame in task.stack or (task.own,)]), (task.count,), tuple(_labels(task)))
        for task in tasks.groups
        if task.kind is kind
    )
    return Document(
        sample_types=(counted,),
        samples=samples,
        locations=places.locations,
        mappings=tuple(mappings),
        period_type=counted,
        period=1,
        time_ns=taken_ns,
    )


def _labels(task: Task) -> Iterator[Label]:
    yield Label("state", task.state)
    if not isinstance(task.created_by, Missing):
        yield Label("created_by", f"{task.created_by.function} {task.created_by.where()}".rstrip())
    if not isinstance(task.waiting_s, Missing):
        yield Label("waiting", number=int(task.waiting_s), unit="seconds")


def _fitting(value: int) -> int:
    """The format's values have 64 bits with a sign; what was read in a bad moment may be more."""
    return min(value, _LARGEST)


class _Places(dict[Call, int]):
    """Gives each call a location of its own: ids by call.

    Half a million calls are looked up for 30 000 stacks: all that is asked of a call's name is asked once.
    """

    def __init__(self, mappings: Sequence[Mapping]) -> None:
        super().__init__()
        self.locations: dict[int, Location] = {}
        self._mappings = mappings
        self._of_go: set[int] = set()

    def __missing__(self, call: Call) -> int:
        if call[0].function == _BOTTOM and call[1]:
            self[call] = 0
            return 0
        key = self[call] = len(self) + 1
        self.locations[key] = self._location(*call)
        if call[0].function.startswith(OF_GO):
            self._of_go.add(key)
        return key

    def shown(self, stack: tuple[Frame, ...], pcs: tuple[int, ...]) -> tuple[int, ...]:
        """The calls that pprof would keep; all but the bottom when they are all the runtime's."""
        if len(pcs) != len(stack):
            return tuple([self[frame, 0] for frame in stack])
        keys = tuple(map(self.__getitem__, zip(stack, pcs, strict=True)))
        if 0 in keys:
            keys = tuple(filter(None, keys))
        begins = next((at for at, key in enumerate(keys) if key not in self._of_go), 0)
        return keys[begins:] if begins else keys

    def leave_out(self, stacks: Iterable[tuple[int, ...]]) -> None:
        """Forget the locations of the runtime that none of the stacks needs."""
        for key in self._of_go.difference(*stacks):
            del self.locations[key]

    def _location(self, frame: Frame, pc: int) -> Location:
        address = max(pc - 1, 0)  # the call, not what follows it
        name = frame.function
        function = Function(name, system_name=name if pc else "", file=frame.file)
        return Location((Line(function, min(max(frame.line, 0), _LARGEST)),), self._mapping(address), address)

    def _mapping(self, address: int) -> Mapping | None:
        for mapping in self._mappings:
            if mapping.start <= address < mapping.limit:
                return mapping
        return self._mappings[0] if self._mappings else None
