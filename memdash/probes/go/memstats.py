"""runtime.MemStats from one look at the counters, added up as ReadMemStats does.

Source: runtime/mstats.go (readmemstats_m), runtime/mgcpacer.go (heapGoalInternal, memoryLimitHeapGoal); the formulas
are the same from Go 1.19 to 1.27, but for the headroom under a memory limit. At rest every field equals what the
program's own ReadMemStats says.
"""

from __future__ import annotations

from collections.abc import Mapping

from memdash.model.memstats import MemStats, SizeClass
from memdash.probes.go.counters import Counters
from memdash.probes.go.layouts import Layout
from memdash.probes.pauses import newest_first

__all__ = ["heap_goal", "mem_stats"]

_BY_SIZE_ROWS = 61
_NO_TRIGGER = (1 << 64) - 1
_HEADROOM_PERCENT = "memoryLimitHeapGoalHeadroomPercent"
_LEAST_HEADROOM_BYTES = 1 << 20
_LEAST_DISTANCE_BYTES = 64 << 10


def mem_stats(counters: Counters, layout: Layout) -> MemStats:
    """Add up one look."""
    heap, sys, gc, size_classes = counters.heap, counters.mstats, counters.controller, layout.size_classes
    small_alloc, small_free = heap.small_alloc_counts, heap.small_free_counts
    total_alloc = heap.large_alloc + sum(map(int.__mul__, small_alloc, size_classes))
    freed = heap.large_free + sum(map(int.__mul__, small_free, size_classes))
    mallocs = heap.large_alloc_count + sum(small_alloc) + heap.tiny_alloc_count
    frees = heap.large_free_count + sum(small_free) + heap.tiny_alloc_count
    heap_sys = gc["heapInUse"] + gc["heapFree"] + gc["heapReleased"]
    gc_sys = sys["gcMiscSys"] + heap.work_bufs + heap.ptr_scalar_bits
    stack_sys = heap.in_stacks + sys["stacks_sys"]
    others = sys["mspan_sys"] + sys["mcache_sys"] + sys["buckhash_sys"] + sys["other_sys"]
    return MemStats(
        Alloc=total_alloc - freed,
        TotalAlloc=total_alloc,
        Sys=heap_sys + stack_sys + gc_sys + others,
        Lookups=0,
        Mallocs=mallocs,
        Frees=frees,
        HeapAlloc=total_alloc - freed,
        HeapSys=heap_sys,
        HeapIdle=gc["heapFree"] + gc["heapReleased"],
        HeapInuse=gc["heapInUse"],
        HeapReleased=gc["heapReleased"],
        HeapObjects=mallocs - frees,
        StackInuse=heap.in_stacks,
        StackSys=stack_sys,
        MSpanInuse=counters.spans_in_use_bytes,
        MSpanSys=sys["mspan_sys"],
        MCacheInuse=counters.caches_in_use_bytes,
        MCacheSys=sys["mcache_sys"],
        BuckHashSys=sys["buckhash_sys"],
        GCSys=gc_sys,
        OtherSys=sys["other_sys"],
        NextGC=heap_goal(gc, total_alloc - freed, layout.constants.get(_HEADROOM_PERCENT, 0)),
        LastGC=sys["last_gc_unix"],
        PauseTotalNs=sys["pause_total_ns"],
        NumGC=sys["numgc"],
        NumForcedGC=sys["numforcedgc"],
        GCCPUFraction=counters.gc_cpu_fraction,
        EnableGC=True,
        DebugGC=False,
        BySize=tuple(map(SizeClass, size_classes[:_BY_SIZE_ROWS], small_alloc, small_free)),
        PauseNs=newest_first(counters.pause_ns, sys["numgc"]),
        PauseEnd=newest_first(counters.pause_end, sys["numgc"]),
    )


def heap_goal(gc: Mapping[str, int], heap_bytes: int, headroom_percent: int) -> int:
    """The heap size at which the collection under way, or else the next one, should end; NextGC of MemStats.

    ``heap_bytes`` is HeapAlloc: the controller's own account of it lags behind by what the caches hold, until
    ReadMemStats flushes them. ``headroom_percent`` of a memory limit is left free. 2**64 - 1 when collection is off and
    no memory limit is set.
    """
    goal, limit_goal = gc["gcPercentHeapGoal"], _goal_of_limit(gc, heap_bytes, headroom_percent)
    if limit_goal < goal:
        return limit_goal
    goal = max(goal, gc["sweepDistMinTrigger"])
    if gc["triggered"] != _NO_TRIGGER:
        goal = max(goal, gc["triggered"] + _LEAST_DISTANCE_BYTES)
    return goal


def _goal_of_limit(gc: Mapping[str, int], heap_bytes: int, headroom_percent: int) -> int:
    """What GOMEMLIMIT leaves for the heap, less some headroom; never less than what the last cycle found alive."""
    limit, mapped = gc["memoryLimit"], gc["mappedReady"]
    outside_heap = mapped - gc["heapFree"] - heap_bytes
    overdrawn = max(mapped - limit, 0)
    if outside_heap + overdrawn >= limit:
        return gc["heapMarked"]
    goal = limit - (outside_heap + overdrawn)
    headroom = max(goal // 100 * headroom_percent, _LEAST_HEADROOM_BYTES)
    goal = headroom if goal < headroom or goal - headroom < headroom else goal - headroom
    return max(goal, gc["heapMarked"])
