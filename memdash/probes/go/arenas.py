"""The address space of Go's heap: what its page allocator hands spans out of, goroutine stacks among them.

Source: runtime/mpagealloc.go (pageAlloc.inUse), runtime/mranges.go (addrRanges).
"""

from __future__ import annotations

from itertools import pairwise

from memdash.errors import BadRead
from memdash.probes.go.program import Program

__all__ = ["read_arenas"]

_MOST_RANGES = 1 << 16
_MOST_TRIES = 5
_ARENA_CHUNK_BYTES = 4 << 20
"""It grows by chunks of the page allocator's bitmap."""


def read_arenas(program: Program) -> tuple[tuple[int, int], ...]:
    """(start, end) of each range, ascending. Raises BadRead when they do not add up, and what reading memory raises.

    The table may just be growing: then it is looked at again.
    """
    for _ in range(_MOST_TRIES - 1):
        try:
            return _read(program)
        except BadRead:
            continue
    return _read(program)


def _read(program: Program) -> tuple[tuple[int, int], ...]:
    at = program.field("mheap_", "mheap", "pages") + program.offset("pageAlloc", "inUse")
    table, length, _, total = program.memory.words(at, 4)
    if length > _MOST_RANGES:
        raise BadRead(f"the heap is said to have {length} pieces")
    words = program.memory.words(table, 2 * length) if length else ()
    ranges = tuple(zip(words[::2], words[1::2], strict=True))
    is_ascending = all(start < end for start, end in ranges) and all(a[1] <= b[0] for a, b in pairwise(ranges))
    if not is_ascending or sum(end - start for start, end in ranges) != total or total % _ARENA_CHUNK_BYTES:
        raise BadRead("the ranges of the heap do not add up")
    return ranges
