"""What MemStats tell of Go's collector, however they were read.

Source: the documentation of runtime.MemStats, runtime/mgcpacer.go (gcControllerState.heapGoal), runtime/mstats.go.
"""

from __future__ import annotations

from memdash.model.gc import GcStats
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing, known
from memdash.probes.pauses import pauses, percentile

__all__ = ["NO_CYCLE", "NO_GOAL", "of_memstats"]

_ENDLESS = (1 << 64) - 1
_NS_PER_S = 1e9

NO_CYCLE = Missing("no collection has finished yet")
NO_GOAL = Missing("collection is off and no memory limit is set")


def _goal(next_gc: Maybe[int]) -> Maybe[int]:
    """The heap at which the next collection ends; the runtime writes all ones when none is ever due."""
    return NO_GOAL if next_gc == _ENDLESS else next_gc


def of_memstats(stats: MemStats, *, live: Missing, untold: Missing) -> GcStats:
    """The collector, as far as MemStats tell of it.

    ``live`` says why they do not hold the heap that the last cycle found alive, ``untold`` why they have no settings.
    """
    cycles, lengths, ends = stats.NumGC, known(stats.PauseNs, ()), known(stats.PauseEnd, ())
    by_length = sorted(lengths)
    none: Maybe[int] = stats.PauseNs if isinstance(stats.PauseNs, Missing) else NO_CYCLE

    def share(percent: int) -> Maybe[int]:
        return percentile(by_length, percent) if by_length else none

    return GcStats(
        count=cycles,
        forced=stats.NumForcedGC,
        last_at_s=stats.LastGC if isinstance(stats.LastGC, Missing) else stats.LastGC / _NS_PER_S or NO_CYCLE,
        next_target_bytes=_goal(stats.NextGC),
        live_after_gc_bytes=live if cycles else NO_CYCLE,
        pause_p50_ns=share(50),
        pause_p99_ns=share(99),
        pause_max_ns=share(100),
        pause_total_ns=stats.PauseTotalNs,
        cpu_fraction=stats.GCCPUFraction,
        phase=untold,
        gogc=untold,
        memory_limit_bytes=untold,
        last_cycle=untold,
        pauses=pauses(ends, lengths) if len(ends) == len(lengths) else (),
    )
