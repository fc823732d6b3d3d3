"""One look at the runtime's counters: what ReadMemStats would add up, read from outside without a stop.

Two system calls: one for the counters and every P's cache of spans, one for the spans in those caches. Objects in a
cached span have not been counted yet; ReadMemStats flushes the caches to count them, here they are counted where they
are. A span that has left its cache meanwhile shows it, before its objects are counted elsewhere, and is left out: so a
count may be late by a few objects, but is never ahead. Source: runtime/mstats.go (readmemstats_m,
consistentHeapStats), runtime/mcache.go (refill, releaseAll), runtime/mheap.go (mspan.sweepgen).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from memdash.errors import BadRead
from memdash.probes.go.caches import Caches
from memdash.probes.go.fields import Fields
from memdash.probes.go.heap_counts import HeapCounts, HeapStats
from memdash.probes.go.program import Program
from memdash.process.memory import ReadPlan

__all__ = ["PAUSES", "CounterReader", "Counters"]

PAUSES = 256
"""So many pauses the runtime remembers."""

_MOST_TRIES = 6

_MSTATS = (
    "stacks_sys mspan_sys mcache_sys buckhash_sys gcMiscSys other_sys last_gc_unix last_gc_nanotime pause_total_ns"
)
_CONTROLLER = (
    "memoryLimit gcPercentHeapGoal sweepDistMinTrigger triggered heapMarked "
    "heapInUse heapReleased heapFree totalAlloc totalFree mappedReady"
)
_SPAN = {"sweepgen": "I", "allocCount": "H", "spanclass": "B", "allocCountBeforeCache": "H"}
_CACHED, _STALE = 3, 1
"""How far a span's sweepgen is ahead of the heap's while it is cached, and once another sweep has begun."""

_WORK = "tSweepTerm tMark tMarkTerm tEnd heap0 heap1 heap2"


@dataclass(frozen=True, slots=True)
class Counters:
    """All that one look brought, under the runtime's own names.

    ``pause_ns`` and ``pause_end`` are the runtime's rings. ``work`` is empty when the variable was not located.
    ``torn_bytes`` is 0 unless the heap changed just while it was read, in every one of the tries: then it says by how
    much two accounts of it differ, and at least 1.
    """

    heap: HeapCounts
    mstats: Mapping[str, int]
    controller: Mapping[str, int]
    work: Mapping[str, int]
    gc_cpu_fraction: float
    pause_ns: tuple[int, ...]
    pause_end: tuple[int, ...]
    spans_in_use_bytes: int
    caches_in_use_bytes: int
    gc_phase: int
    gomaxprocs: int
    torn_bytes: int


class CounterReader:
    """Looks again and again, with the plans and the decoding prepared once. Some 0.15 ms a look with two Ps."""

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused when this Go lacks one of the fields, and what reading memory raises."""
        self._program = program
        self._heap_stats = HeapStats(program)
        self._mstats = Fields.of(program, "mstats", _MSTATS.split(), numgc="I", numforcedgc="I", gc_cpu_fraction="Q")
        self._controller = Fields.of(program, "gcControllerState", _CONTROLLER.split(), gcPercent="i")
        self._work = Fields.of(program, "workType", _WORK.split(), cycles="I") if "work" in program.addresses else None
        self._span = Fields.of(program, "mspan", (), **_SPAN)
        self._pauses = struct.Struct(f"<{PAUSES}Q")
        self._pauses_of = (-1, -1)
        self._pause_ns: tuple[int, ...] = ()
        self._pause_end: tuple[int, ...] = ()
        # A P's statsSeq lies behind fields that a GOEXPERIMENT may add.
        self._has_sequence = not program.version.experiments
        self._caches = Caches(program)
        self._plan = self._prepared()
        self._cached_pointers = b""
        self._cached_classes: tuple[int, ...] = ()
        self._span_plan = self._prepared_spans(())

    def _prepared(self) -> ReadPlan:
        """Everything but the spans, in the order in which the runtime would move it: the counts of the heap first."""
        program, caches = self._program, self._caches
        inuse = program.offset("fixalloc", "inuse")
        parts = [
            (program.addresses["memstats"], self._mstats.start + self._mstats.size),
            (program.addresses["gcController"] + self._controller.start, self._controller.size),
            (program.field("mheap_", "mheap", "spanalloc") + inuse, 8),
            (program.field("mheap_", "mheap", "cachealloc") + inuse, 8),
            (program.addresses["gcphase"], 4),
        ]
        if self._work:
            parts.append((program.addresses["work"] + self._work.start, self._work.size))
        self._caches_at = len(parts)
        parts += caches.parts
        self._sequences_at = len(parts)
        if self._has_sequence:
            parts += [(p + program.offset("p", "statsSeq"), 4) for p in caches.ps]
        return program.memory.plan(parts)

    def _prepared_spans(self, spans: tuple[int, ...]) -> ReadPlan:
        """The cached spans, the number of the sweep, and the generation of the heap's counts, to see if it moved on."""
        parts = [(span + self._span.start, self._span.size) for span in spans]
        sweepgen = self._program.field("mheap_", "mheap", "sweepgen")
        return self._program.memory.plan([*parts, (sweepgen, 4), (self._heap_stats.generation_address, 4)])

    def read(self) -> Counters:
        """Look once, again while the runtime moves counts about. Raises BadRead, AccessDenied, TargetExited."""
        best: Counters | None = None
        error = BadRead("the runtime changed its caches in each of several looks")
        for _ in range(_MOST_TRIES):
            try:
                counters = self._look()
            except BadRead as unmapped:  # half a pointer, read while it was written
                error = unmapped
                continue
            if counters is None:
                continue
            if not counters.torn_bytes:
                return counters
            if best is None or counters.torn_bytes < best.torn_bytes:
                best = counters
        if best is None:
            raise error
        return best

    def _look(self) -> Counters | None:
        """One try; None when there are other Ps or caches now."""
        buffer, offsets = self._plan.read(), self._plan.offsets
        caches_at = offsets[self._caches_at]
        if not self._caches.are_those_in(buffer, caches_at):
            self._caches = Caches(self._program)
            self._plan = self._prepared()
            return None
        tiny, used = self._cached(buffer, caches_at)
        heap = self._heap_stats.counts(buffer, tiny, used)
        controller = self._controller.read(buffer, offsets[1])
        mstats = self._mstats.read(buffer, self._mstats.start)
        self._read_pauses(buffer, mstats["numgc"], mstats["pause_total_ns"])
        return Counters(
            heap=heap,
            mstats=mstats,
            controller=controller,
            work=self._work.read(buffer, offsets[5]) if self._work else {},
            gc_cpu_fraction=_as_double(mstats["gc_cpu_fraction"]),
            pause_ns=self._pause_ns,
            pause_end=self._pause_end,
            spans_in_use_bytes=_word(buffer, offsets[2]),
            caches_in_use_bytes=_word(buffer, offsets[3]),
            gc_phase=_half_word(buffer, offsets[4]),
            gomaxprocs=len(self._caches.ps),
            torn_bytes=abs(heap.in_heap - controller["heapInUse"])
            + abs(heap.released - controller["heapReleased"])
            + self._is_moving(buffer),
        )

    def _is_moving(self, buffer: memoryview) -> bool:
        """Whether a P was adding to the counts (odd sequence), or somebody summed them up (another generation)."""
        sequences = buffer[self._plan.offsets[self._sequences_at] :: 4]
        moved_on = self._span_plan.buffer[-4:] != self._heap_stats.generation(buffer)
        return moved_on or any(low_byte & 1 for low_byte in sequences)

    def _cached(self, buffer: memoryview, caches_at: int) -> tuple[int, list[int]]:
        """Tiny objects, and objects by size class, allocated from the cached spans since they were cached."""
        tiny, pointers = self._caches.held(buffer, caches_at)
        if pointers != self._cached_pointers:
            spans = tuple(self._caches.spans(pointers))
            self._span_plan = self._prepared_spans(tuple(span for _, span in spans))
            self._cached_classes = tuple(span_class for span_class, _ in spans)
            self._cached_pointers = pointers
        content = self._span_plan.read()
        sweepgen = _half_word(content, len(content) - 8)
        used = [0] * len(self._program.layout.size_classes)
        for (its_sweepgen, count, its_class, before), span_class in zip(
            self._span.packed.iter_unpack(content[:-8]), self._cached_classes, strict=True
        ):
            if its_class != span_class or count <= before:
                continue
            # While a stale span is flushed, ``before`` is 0 for a moment.
            if its_sweepgen == sweepgen + _CACHED or (its_sweepgen == sweepgen + _STALE and before):
                used[span_class >> 1] += count - before
        return tiny, used

    def _read_pauses(self, buffer: memoryview, cycles: int, total_ns: int) -> None:
        """The rings change only with the number of cycles; decoding them takes as long as the rest.

        That number stands behind the rings and their total before them: the former alone may be of a cycle that ended
        after the rings had been read.
        """
        if (cycles, total_ns) != self._pauses_of:
            self._pause_ns = self._pauses.unpack_from(buffer, self._program.offset("mstats", "pause_ns"))
            self._pause_end = self._pauses.unpack_from(buffer, self._program.offset("mstats", "pause_end"))
            self._pauses_of = (cycles, total_ns)


def _half_word(buffer: memoryview, at: int) -> int:
    return int.from_bytes(buffer[at : at + 4], "little")


def _word(buffer: memoryview, at: int) -> int:
    return int.from_bytes(buffer[at : at + 8], "little")


def _as_double(bits: int) -> float:
    value: float = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    return value
