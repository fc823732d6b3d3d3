"""The objects on Go's heap: by size class, and by type where the runtime keeps it with them.

Every span says how many objects of which size it holds, so their sum is HeapAlloc, garbage that has not been swept yet
included. Since Go 1.22 an object of more than 512 bytes with pointers begins with the address of its type, and a span
of one large object names it; for an array or a slice that is the type of its elements. Source: runtime/mheap.go
(mspan), runtime/mbitmap.go (heapSetTypeSmallHeader, heapSetTypeLarge).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from memdash.errors import BadRead
from memdash.model.objects import Objects, TypeCount
from memdash.probes.go.fields import Fields
from memdash.probes.go.program import Program
from memdash.probes.go.types import TypeNames
from memdash.units import byte_size

__all__ = ["ObjectReader"]

_BATCH = 1024
_MOST_SPANS = 1 << 24
_MOST_HEADERS = 1 << 17
"""So many objects are asked for their type in one look, 0.6 µs each; those beyond it count by their size."""

_PAGE_BYTES = 8192
_ADDRESS = (1 << 64) - 1
_LARGE = 0
"""The size class of a span that holds one object of more than 32 KiB."""

_NO_POINTERS = 1
"""This bit of a span's class says that its objects hold none; the others are the size class."""

_COUNTED = {"npages": "Q", "allocCount": "H", "spanclass": "B", "state": "B", "elemsize": "Q", "startAddr": "Q"}
_TYPED = {"freeindex": "H", "nelems": "H", "allocBits": "Q", "largeType": "Q"}


class ObjectReader:
    """Counts again and again: 2 ms for 1000 spans, more with many objects that say their type."""

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused, and what reading memory raises."""
        self._memory = program.memory
        self._allspans = program.field("mheap_", "mheap", "allspans")
        self._in_use = program.constant("mSpanInUse")
        self._typed_above = program.layout.constants.get("minSizeForMallocHeader")
        is_typed = self._typed_above is not None and program.has("mspan", "largeType")
        self._span = Fields.of(program, "mspan", (), **(_COUNTED | _TYPED if is_typed else _COUNTED))
        self._types = TypeNames(program) if is_typed else None
        self._plan = self._memory.plan([(0, self._span.size)] * _BATCH)
        self._headers = self._memory.plan([(0, 8)] * _BATCH)

    def read(self) -> Objects:
        """All objects now. Raises BadRead, AccessDenied, TargetExited."""
        found: dict[str, list[int]] = {}
        headers_left = _MOST_HEADERS
        for span in self._spans():
            size, number, span_class = span["elemsize"], span["allocCount"], span["spanclass"]
            names = Counter[str]()
            if number <= headers_left:
                names = self._types_in(span)
                headers_left -= names.total()
            names[_name(size, span_class)] += number - names.total()
            for name, objects in names.items():
                held = found.setdefault(name, [0, 0])
                held[0] += objects
                held[1] += objects * size
        return Objects(tuple(TypeCount(name, *held) for name, held in found.items() if held[0]))

    def _spans(self) -> Iterator[Mapping[str, int]]:
        """Those that hold objects. A table that has grown meanwhile may be gone: then this is a BadRead."""
        pointers, count = self._memory.words(self._allspans, 2)
        if count > _MOST_SPANS:
            raise BadRead(f"{count} spans cannot be")
        spans = array("Q", [span + self._span.start & _ADDRESS for span in self._memory.words(pointers, count)])
        names = self._span.names
        for at in range(0, count, _BATCH):
            content = self._plan.read_at(spans[at : at + _BATCH])
            for values in self._span.packed.iter_unpack(content):
                span = dict(zip(names, values, strict=True))
                if span["state"] == self._in_use and span["allocCount"]:
                    yield span

    def _types_in(self, span: Mapping[str, int]) -> Counter[str]:
        """The objects of a span by type, those left out that do not say it; none while the span changes."""
        types, size, number = self._types, span["elemsize"], span["allocCount"]
        if types is None or span["spanclass"] & _NO_POINTERS:
            return Counter()
        if span["spanclass"] >> 1 == _LARGE:
            return Counter(name for name in [types[span["largeType"]]] if name)
        if self._typed_above is None or size <= self._typed_above:
            return Counter()
        slots = self._live_slots(span)
        if len(slots) != number:
            return Counter()
        starts = array("Q", [span["startAddr"] + slot * size & _ADDRESS for slot in slots])
        found = Counter[str]()
        for at in range(0, number, _BATCH):
            found.update([types[header] for header in self._headers.read_at(starts[at : at + _BATCH]).cast("Q")])
        del found[""]
        return found

    def _live_slots(self, span: Mapping[str, int]) -> Sequence[int]:
        """Numbers of the objects that are allocated: all up to freeindex, then those that survived the last sweep."""
        slots, free = span["nelems"], span["freeindex"]
        if not span["npages"] * _PAGE_BYTES >= slots * span["elemsize"]:
            return ()
        bits = int.from_bytes(self._memory.read(span["allocBits"], slots + 7 >> 3), "little")
        return [slot for slot in range(slots) if slot < free or bits >> slot & 1]


def _name(size: int, span_class: int) -> str:
    """Objects whose type is not known, in words: ``48 B with pointers``, ``large without pointers``."""
    words = "large" if span_class >> 1 == _LARGE else byte_size(size)
    return f"{words} {'without' if span_class & _NO_POINTERS else 'with'} pointers"
