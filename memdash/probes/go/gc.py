"""The collector, from one look at the counters.

Source: runtime/mgc.go (work, gcMarkTermination), runtime/mgcpacer.go.
"""

from __future__ import annotations

from memdash.model.gc import NO_LIMIT, OFF, Cycle, GcStats
from memdash.model.missing import Maybe, Missing
from memdash.probes.gc_figures import NO_CYCLE, NO_GOAL
from memdash.probes.go.counters import Counters
from memdash.probes.pauses import newest_first, pauses, percentile

__all__ = ["gc_stats", "has_consistent_work"]

_PHASES = ("idle", "marking", "mark termination")
_SWITCHED_OFF = -1
_UNLIMITED = (1 << 63) - 1
_NS_PER_S = 1e9


def gc_stats(counters: Counters, next_gc: Maybe[int]) -> GcStats:
    """What one look says about the collector; ``next_gc`` is NextGC of the MemStats of the same look."""
    sys, gc = counters.mstats, counters.controller
    cycles = sys["numgc"]
    lengths = newest_first(counters.pause_ns, cycles)
    ends = newest_first(counters.pause_end, cycles)
    by_length = sorted(lengths)
    phase = counters.gc_phase
    return GcStats(
        count=cycles,
        forced=sys["numforcedgc"],
        last_at_s=sys["last_gc_unix"] / _NS_PER_S if cycles else NO_CYCLE,
        next_target_bytes=NO_GOAL if gc["gcPercent"] == _SWITCHED_OFF and gc["memoryLimit"] == _UNLIMITED else next_gc,
        live_after_gc_bytes=gc["heapMarked"] if cycles else NO_CYCLE,
        pause_p50_ns=percentile(by_length, 50) if by_length else NO_CYCLE,
        pause_p99_ns=percentile(by_length, 99) if by_length else NO_CYCLE,
        pause_max_ns=by_length[-1] if by_length else NO_CYCLE,
        pause_total_ns=sys["pause_total_ns"],
        cpu_fraction=counters.gc_cpu_fraction,
        phase=_PHASES[phase]
        if phase < len(_PHASES)
        else Missing(f"the runtime says {phase}, which memdash does not know"),
        gogc=gc["gcPercent"] if gc["gcPercent"] != _SWITCHED_OFF else OFF,
        memory_limit_bytes=gc["memoryLimit"] if gc["memoryLimit"] < _UNLIMITED else NO_LIMIT,
        last_cycle=last_cycle(counters),
        pauses=pauses(ends, lengths),
    )


def last_cycle(counters: Counters) -> Maybe[Cycle]:
    """The latest finished cycle.

    The runtime's ``work`` moves between patch releases and experiments, so it is believed only while it agrees with
    what is known from elsewhere: number and end of the last cycle, and the heap it found alive.
    """
    work, cycles = counters.work, counters.mstats["numgc"]
    if not cycles:
        return NO_CYCLE
    if not work or not has_consistent_work(counters):
        if counters.gc_phase or work.get("cycles") == cycles + 1:
            return Missing("a collection is running")
        return Missing("this build keeps its cycle times where memdash does not know")
    return Cycle(
        duration_ns=work["tEnd"] - work["tSweepTerm"],
        mark_ns=work["tMarkTerm"] - work["tMark"],
        heap_start_bytes=work["heap0"],
        heap_end_bytes=work["heap1"],
        heap_live_bytes=work["heap2"],
    )


def has_consistent_work(counters: Counters) -> bool:
    """Whether ``work`` describes the cycle that the counters say was the last."""
    work = counters.work
    return (
        work["cycles"] == counters.mstats["numgc"]
        and work["tEnd"] == counters.mstats["last_gc_nanotime"]
        and work["heap2"] == counters.controller["heapMarked"]
        and work["tSweepTerm"] <= work["tMark"] <= work["tMarkTerm"] <= work["tEnd"]
    )
