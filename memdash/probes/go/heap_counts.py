"""memstats.heapStats: what was allocated and freed, by size class.

Source: runtime/mstats.go (heapStatsDelta, consistentHeapStats).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from operator import add

from memdash.probes.go.program import Program

__all__ = ["HeapCounts", "HeapStats", "never_less"]

_GENERATIONS = 3
_COUNTS = (
    "committed released inHeap inStacks inWorkBufs tinyAllocCount largeAlloc largeAllocCount largeFree largeFreeCount "
    "smallAllocCount smallFreeCount"
)


@dataclass(frozen=True, slots=True)
class HeapCounts:
    """heapStatsDelta summed over its three generations, cached spans counted in.

    Bytes, but for what says count. ``ptr_scalar_bits`` is 0 where the runtime no longer has it (Go 1.25 and later).
    """

    committed: int
    released: int
    in_heap: int
    in_stacks: int
    work_bufs: int
    ptr_scalar_bits: int
    tiny_alloc_count: int
    large_alloc: int
    large_alloc_count: int
    large_free: int
    large_free_count: int
    small_alloc_counts: tuple[int, ...]
    small_free_counts: tuple[int, ...]


class HeapStats:
    """memstats.heapStats: three generations of counts, of which only the sum means something."""

    def __init__(self, program: Program) -> None:
        self._start = program.offset("mstats", "heapStats")
        generation = program.offset("consistentHeapStats", "gen")
        self._generation = slice(self._start + generation, self._start + generation + 4)
        self.generation_address = program.addresses["memstats"] + self._generation.start
        self._words = program.size("heapStatsDelta") // 8
        self._start += program.offset("consistentHeapStats", "stats")
        self._packed = struct.Struct(f"<{_GENERATIONS * self._words}q")
        self._index = {name: program.offset("heapStatsDelta", name) // 8 for name in _COUNTS.split()}
        if program.has("heapStatsDelta", "inPtrScalarBits"):
            self._index["inPtrScalarBits"] = program.offset("heapStatsDelta", "inPtrScalarBits") // 8
        self._classes = len(program.layout.size_classes)

    def generation(self, buffer: memoryview) -> memoryview:
        """The generation that is being written to, as the four bytes that stand in memory."""
        return buffer[self._generation]

    def counts(self, buffer: memoryview, tiny: int, used: list[int]) -> HeapCounts:
        """The sum, with the objects in cached spans added."""
        words, n = self._packed.unpack_from(buffer, self._start), self._words
        total = [a + b + c for a, b, c in zip(words[:n], words[n : 2 * n], words[2 * n :], strict=True)]
        index = self._index
        small_alloc, small_free = index["smallAllocCount"], index["smallFreeCount"]
        return HeapCounts(
            committed=total[index["committed"]],
            released=total[index["released"]],
            in_heap=total[index["inHeap"]],
            in_stacks=total[index["inStacks"]],
            work_bufs=total[index["inWorkBufs"]],
            ptr_scalar_bits=total[index["inPtrScalarBits"]] if "inPtrScalarBits" in index else 0,
            tiny_alloc_count=total[index["tinyAllocCount"]] + tiny,
            large_alloc=total[index["largeAlloc"]],
            large_alloc_count=total[index["largeAllocCount"]],
            large_free=total[index["largeFree"]],
            large_free_count=total[index["largeFreeCount"]],
            small_alloc_counts=tuple(map(add, total[small_alloc : small_alloc + self._classes], used)),
            small_free_counts=tuple(total[small_free : small_free + self._classes]),
        )


def never_less(now: HeapCounts, before: HeapCounts) -> HeapCounts:
    """Counts that only ever grow, kept from falling: a span may leave its cache between the two system calls."""
    return replace(
        now,
        tiny_alloc_count=max(now.tiny_alloc_count, before.tiny_alloc_count),
        large_alloc=max(now.large_alloc, before.large_alloc),
        large_alloc_count=max(now.large_alloc_count, before.large_alloc_count),
        large_free=max(now.large_free, before.large_free),
        large_free_count=max(now.large_free_count, before.large_free_count),
        small_alloc_counts=tuple(map(max, now.small_alloc_counts, before.small_alloc_counts)),
        small_free_counts=tuple(map(max, now.small_free_counts, before.small_free_counts)),
    )
