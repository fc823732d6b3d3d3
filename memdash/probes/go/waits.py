"""Since when a goroutine has waited at least, from what the runtime notes of it.

A collection that finds a goroutine waiting notes a time in it, once. That time is not when it began to wait, nor that
of this collection: it is when the collection *before* ended its marking, since ``work.tstart`` is set only there. What
is certain is that the goroutine has waited since that later collection marked, so at least since it ended; the ring of
the last 256 ends says when that was. Source: runtime/mgcmark.go (markroot), runtime/mgc.go (gcMark).
"""

from __future__ import annotations

import struct
from bisect import bisect_left

from memdash.errors import BadRead
from memdash.probes.go.counters import PAUSES
from memdash.probes.go.program import Program

__all__ = ["Waits"]

_MOST_TRIES = 10


class Waits:
    """When the last collections ended, on the monotonic clock."""

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused."""
        self._memory = program.memory
        start = program.addresses["memstats"]
        parts = [("numgc", 4), ("last_gc_unix", 8), ("last_gc_nanotime", 8), ("pause_end", 8 * PAUSES)]
        self._plan = program.memory.plan([(start + program.offset("mstats", name), size) for name, size in parts])
        self._packed = struct.Struct(f"<IQq{PAUSES}Q")
        self._ends: list[int] = []

    def look(self) -> None:
        """Read the ends anew. Raises BadRead, AccessDenied, TargetExited."""
        content = bytes(self._plan.read())
        for _ in range(_MOST_TRIES):
            before, content = content, bytes(self._plan.read())
            if content == before:
                break
        else:
            raise BadRead("collections follow each other too closely to read when they ended")
        cycles, last_unix, last_mono, *ring = self._packed.unpack(content)
        ahead = last_unix - last_mono
        known = ring[:cycles] if cycles < PAUSES else ring
        self._ends = sorted(end - ahead for end in known)

    def since(self, noted_ns: int) -> int | None:
        """The latest moment at which a goroutine with this note began to wait; None when it is not known yet."""
        if not noted_ns or not self._ends:
            return None
        own = bisect_left(self._ends, noted_ns)  # a collection ends right after its marking, in the same stop
        if own == 0 and len(self._ends) == PAUSES:
            return self._ends[0]  # it was noted longer ago than the runtime remembers
        return self._ends[own + 1] if own + 1 < len(self._ends) else None
