"""Every P's cache of spans: objects are allocated from there without being counted anywhere else.

Source: runtime/proc.go (procresize), runtime/mcache.go.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from memdash.errors import BadRead
from memdash.probes.go.program import Program

__all__ = ["Caches"]

_MOST_PS = 4096


class Caches:
    """Which Ps there are and which cache each has, as of now; GOMAXPROCS may change at any time.

    ``parts`` are what a plan has to hold together: first what tells whether this is still so, then the caches' content.
    """

    def __init__(self, program: Program) -> None:
        memory = program.memory
        allp, at_mcache = program.addresses["allp"], program.offset("p", "mcache")
        gomaxprocs = memory.u32(program.addresses["gomaxprocs"])
        pointers, length = memory.words(allp, 2)
        if not 0 < gomaxprocs <= min(length, _MOST_PS):
            raise BadRead(f"GOMAXPROCS reads as {gomaxprocs}, of {length} allocated")
        self.ps = memory.words(pointers, gomaxprocs)
        links = [(p + at_mcache, 8) for p in self.ps]
        found = bytes(memory.plan(links).read())
        caches = [cache for (cache,) in struct.iter_unpack("<Q", found) if cache]
        self._expected = struct.pack(f"<2QI{gomaxprocs}Q", pointers, length, gomaxprocs, *self.ps) + found
        self._tiny = struct.Struct(f"<{len(caches)}Q")
        self._span_classes = program.constant("numSpanClasses")
        self._empty = program.addresses["emptymspan"]
        at_tiny, at_alloc = program.offset("mcache", "tinyAllocs"), program.offset("mcache", "alloc")
        self.parts = [
            (allp, 16),
            (program.addresses["gomaxprocs"], 4),
            (pointers, 8 * gomaxprocs),
            *links,
            *((cache + at_tiny, 8) for cache in caches),
            *((cache + at_alloc, 8 * self._span_classes) for cache in caches),
        ]
        self._held_bytes = len(caches) * 8 * self._span_classes

    def are_those_in(self, buffer: memoryview, at: int) -> bool:
        """Whether what was read just now still shows these Ps and caches."""
        return buffer[at : at + len(self._expected)] == self._expected

    def held(self, buffer: memoryview, at: int) -> tuple[int, bytes]:
        """How many tiny objects the caches count, and all their pointers to spans."""
        at += len(self._expected)
        spans_at = at + self._tiny.size
        return sum(self._tiny.unpack_from(buffer, at)), bytes(buffer[spans_at : spans_at + self._held_bytes])

    def spans(self, pointers: bytes) -> Iterator[tuple[int, int]]:
        """(span class, address) of each cached span that is one."""
        for i, (span,) in enumerate(struct.iter_unpack("<Q", pointers)):
            if span and span != self._empty:
                yield i % self._span_classes, span
