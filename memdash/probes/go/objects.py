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
from contextlib import suppress
from functools import lru_cache
from typing import TypeAlias

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
"""So many objects, or somewhat more, are asked for their type in one look; those beyond it count by their size."""

_WORD_BYTES = 8
_ADDRESS = (1 << 64) - 1
_LARGE = 0
"""The size class of a span that holds one object of more than 32 KiB."""

_NO_POINTERS = 1
"""This bit of a span's class says that its objects hold none; the others are the size class."""

_Spans: TypeAlias = Mapping[str, Sequence[int]]
"""Fields of many spans, a column each."""

_COUNTED = {"allocCount": "H", "spanclass": "B", "state": "B", "elemsize": "Q", "startAddr": "Q"}
_TYPED = {"freeindex": "H", "nelems": "H", "allocBits": "Q", "largeType": "Q"}


class ObjectReader:
    """Counts again and again: 1.2 ms for 1000 spans, and 2 µs for each object that says its type."""

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused, and what reading memory raises."""
        self._memory = program.memory
        self._allspans = program.field("mheap_", "mheap", "allspans")
        self._in_use = program.constant("mSpanInUse")
        typed_above = program.layout.constants.get("minSizeForMallocHeader")
        is_typed = typed_above is not None and program.has("mspan", "largeType")
        self._typed_above = typed_above or 0
        self._span = Fields.of(program, "mspan", (), **(_COUNTED | _TYPED if is_typed else _COUNTED))
        self._types = TypeNames(program) if is_typed else None
        self._plan = self._memory.plan([(0, self._span.size)] * _BATCH)
        self._words = self._memory.plan([(0, _WORD_BYTES)] * _BATCH)

    def read(self) -> Objects:
        """All objects now. Raises BadRead, AccessDenied, TargetExited."""
        found: dict[str, list[int]] = {}
        headers_left = _MOST_HEADERS
        for spans in self._batches():
            held = [
                number
                for number, (state, objects) in enumerate(zip(spans["state"], spans["allocCount"], strict=True))
                if state == self._in_use and objects
            ]
            asked = self._asked(spans, held) if headers_left > 0 else {}
            starts, sizes = spans["startAddr"], spans["elemsize"]
            headers = [
                (starts[number] + slot * sizes[number] & _ADDRESS, sizes[number])
                for number, slots in asked.items()
                for slot in slots
            ]
            headers_left -= len(headers)
            self._count(headers, found)
            self._count_by_size(spans, [number for number in held if number not in asked], found)
        return Objects(tuple(TypeCount(name, *counts) for name, counts in found.items()))

    def _batches(self) -> Iterator[_Spans]:
        """All spans, in use or not. Their table may move while it grows: then this is a BadRead."""
        pointers, count = self._memory.words(self._allspans, 2)
        if count > _MOST_SPANS:
            raise BadRead(f"{count} spans cannot be")
        spans = array("Q", [span + self._span.start & _ADDRESS for span in self._memory.words(pointers, count)])
        for at in range(0, count, _BATCH):
            yield self._span.columns(self._plan.read_at(spans[at : at + _BATCH]))

    def _asked(self, spans: _Spans, held: Sequence[int]) -> dict[int, Sequence[int]]:
        """By number of the span, of those that are ``held``, the live objects where objects say their type."""
        if self._types is None:
            return {}
        classes, sizes, slots = spans["spanclass"], spans["elemsize"], spans["nelems"]
        numbers = [
            number
            for number in held
            if sizes[number] > self._typed_above
            and not classes[number] & _NO_POINTERS
            and classes[number] >> 1 != _LARGE
            and slots[number] <= _WORD_BYTES * 8
        ]
        try:
            bits = self._words.read_at(array("Q", [spans["allocBits"][number] for number in numbers])).cast("Q")
        except BadRead:
            return {}
        live = {
            number: _live_slots(slots[number], spans["freeindex"][number], word)
            for number, word in zip(numbers, bits, strict=True)
        }
        return {number: found for number, found in live.items() if len(found) == spans["allocCount"][number]}

    def _count_by_size(self, spans: _Spans, numbers: Sequence[int], found: dict[str, list[int]]) -> None:
        """Count the objects of these spans by what the spans say of them; spans of one kind are many."""
        classes, sizes, objects = spans["spanclass"], spans["elemsize"], spans["allocCount"]
        types = spans["largeType"] if self._types is not None else bytes(len(sizes))
        kinds: Counter[tuple[int, int, int]] = Counter()
        for number in numbers:
            kinds[classes[number], sizes[number], types[number]] += objects[number]
        for (spanclass, size, large_type), held in kinds.items():
            _add(found, self._name_of(spanclass, size, large_type), held, size)

    def _count(self, headers: Sequence[tuple[int, int]], found: dict[str, list[int]]) -> None:
        """Ask objects, given as where and how large they are, for their type."""
        types = self._types
        for at in range(0, len(headers), _BATCH):
            batch = headers[at : at + _BATCH]
            words: Sequence[int] = bytes(len(batch))
            with suppress(BadRead):
                words = self._words.read_at(array("Q", [start for start, _ in batch])).cast("Q").tolist()
            for (header, size), objects in Counter(zip(words, (size for _, size in batch), strict=True)).items():
                _add(found, (types[header] if types is not None else "") or _described(size, small=True), objects, size)

    def _name_of(self, spanclass: int, size: int, large_type: int) -> str:
        """What the objects of a span are called that do not say it themselves."""
        is_large, has_pointers = spanclass >> 1 == _LARGE, not spanclass & _NO_POINTERS
        name = self._types[large_type] if self._types is not None and is_large and has_pointers else ""
        return name or _described(size, small=not is_large, has_pointers=has_pointers)


def _live_slots(slots: int, freeindex: int, bits: int) -> list[int]:
    """Numbers of the objects that are allocated: all up to freeindex, then those that survived the last sweep."""
    return [slot for slot in range(slots) if slot < freeindex or bits >> slot & 1]


@lru_cache
def _described(size: int, *, small: bool, has_pointers: bool = True) -> str:
    """Objects whose type is not known: ``48 B with pointers``, ``large without pointers``."""
    return f"{byte_size(size) if small else 'large'} {'with' if has_pointers else 'without'} pointers"


def _add(found: dict[str, list[int]], name: str, objects: int, size: int) -> None:
    held = found.setdefault(name, [0, 0])
    held[0] += objects
    held[1] += objects * size
