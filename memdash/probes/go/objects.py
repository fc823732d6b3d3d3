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

_COUNTED = {"allocCount": "H", "spanclass": "B", "state": "B", "elemsize": "Q", "startAddr": "Q"}
_TYPED = {"freeindex": "H", "nelems": "H", "allocBits": "Q", "largeType": "Q"}


class ObjectReader:
    """Counts again and again: 2 ms for 1000 spans, and 2 µs for each object that says its type."""

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
            headers: list[tuple[int, int]] = []
            asked = self._asked(spans) if headers_left > 0 else {}
            for number, span in enumerate(spans):
                size, slots = span["elemsize"], asked.get(number)
                if slots is None:
                    _add(found, self._name_of(span), span["allocCount"], size)
                else:
                    headers += [(span["startAddr"] + slot * size & _ADDRESS, size) for slot in slots]
            headers_left -= len(headers)
            self._count(headers, found)
        return Objects(tuple(TypeCount(name, *held) for name, held in found.items()))

    def _batches(self) -> Iterator[Sequence[Mapping[str, int]]]:
        """The spans that hold objects. Their table may move while it grows: then this is a BadRead."""
        pointers, count = self._memory.words(self._allspans, 2)
        if count > _MOST_SPANS:
            raise BadRead(f"{count} spans cannot be")
        spans = array("Q", [span + self._span.start & _ADDRESS for span in self._memory.words(pointers, count)])
        for at in range(0, count, _BATCH):
            content = self._plan.read_at(spans[at : at + _BATCH])
            yield [span for span in self._span.each(content) if span["state"] == self._in_use and span["allocCount"]]

    def _asked(self, spans: Sequence[Mapping[str, int]]) -> dict[int, Sequence[int]]:
        """By number of the span, the live objects of those spans whose objects say their type."""
        if self._types is None:
            return {}
        numbers = [
            number
            for number, span in enumerate(spans)
            if not span["spanclass"] & _NO_POINTERS
            and span["spanclass"] >> 1 != _LARGE
            and span["elemsize"] > self._typed_above
            and span["nelems"] <= _WORD_BYTES * 8
        ]
        try:
            bits = self._words.read_at(array("Q", [spans[number]["allocBits"] for number in numbers])).cast("Q")
        except BadRead:
            return {}
        live = {number: _live_slots(spans[number], word) for number, word in zip(numbers, bits, strict=True)}
        return {number: slots for number, slots in live.items() if len(slots) == spans[number]["allocCount"]}

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

    def _name_of(self, span: Mapping[str, int]) -> str:
        """What the objects of a span are called that do not say it themselves."""
        is_large, has_pointers = span["spanclass"] >> 1 == _LARGE, not span["spanclass"] & _NO_POINTERS
        name = self._types[span["largeType"]] if self._types is not None and is_large and has_pointers else ""
        return name or _described(span["elemsize"], small=not is_large, has_pointers=has_pointers)


def _live_slots(span: Mapping[str, int], bits: int) -> list[int]:
    """Numbers of the objects that are allocated: all up to freeindex, then those that survived the last sweep."""
    return [slot for slot in range(span["nelems"]) if slot < span["freeindex"] or bits >> slot & 1]


@lru_cache
def _described(size: int, *, small: bool, has_pointers: bool = True) -> str:
    """Objects whose type is not known: ``48 B with pointers``, ``large without pointers``."""
    return f"{byte_size(size) if small else 'large'} {'with' if has_pointers else 'without'} pointers"


def _add(found: dict[str, list[int]], name: str, objects: int, size: int) -> None:
    held = found.setdefault(name, [0, 0])
    held[0] += objects
    held[1] += objects * size
