"""memdash's own profiles as documents that pprof opens.

What pprof itself leaves out of a Go heap profile is left out too: the functions of the runtime that a stack begins
with, and its end. Source: runtime/pprof/protomem.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile

from memdash.model.objects import Objects
from memdash.model.profile import OF_GO, Frame, Profile
from memdash.pprof.document import Document, Function, Line, Location, Mapping, Sample, ValueType

__all__ = ["objects_document", "sites_document"]

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
        key = tuple([places.key(call) for call in _shown(stack, pcs)])
        held = sums.setdefault(key, [0, 0, 0, 0])
        held[0] += usage.alloc_objects
        held[1] += usage.alloc_bytes
        held[2] += usage.inuse_objects
        held[3] += usage.inuse_bytes
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
        Sample((places.key((Frame(name, "", 0), 0)),), (_fitting(count), _fitting(size))) for name, count, size in rows
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


def _shown(stack: tuple[Frame, ...], pcs: tuple[int, ...]) -> list[Call]:
    """The calls that pprof would keep; all but the bottom when they are all the runtime's."""
    if len(pcs) != len(stack):
        return [(frame, 0) for frame in stack]
    calls: list[Call] = list(zip(stack, pcs, strict=True))
    calls = [call for call in calls if call[0].function != _BOTTOM]
    return list(dropwhile(lambda call: call[0].function.startswith(OF_GO), calls)) or calls


def _fitting(value: int) -> int:
    """The format's values have 64 bits with a sign; what was read in a bad moment may be more."""
    return min(value, _LARGEST)


class _Places:
    """Gives each call a location of its own."""

    def __init__(self, mappings: Sequence[Mapping]) -> None:
        self.locations: dict[int, Location] = {}
        self._mappings = mappings
        self._keys: dict[Call, int] = {}

    def key(self, call: Call) -> int:
        """The id of the location of a call."""
        key = self._keys.get(call)
        if key is None:
            key = self._keys[call] = len(self._keys) + 1
            self.locations[key] = self._location(*call)
        return key

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
