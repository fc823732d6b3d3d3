"""MemStats of a CPython process: the fields that truly correspond. The others are Missing, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing
from memdash.probes.cpython.gc import BY_COUNTS, NO_CPU, NO_FORCED, Seen

__all__ = ["NO_TOTALS", "HeapFigures", "mem_stats"]

_NS_PER_S = 1e9

NO_TOTALS = Missing("CPython counts what is allocated now, not what ever was, unless its allocations are sampled")
_NO_STACKS = Missing("CPython's frames and stacks are not accounted for apart")
_NO_SPANS = Missing("CPython has no spans and no caches of them")


@dataclass(frozen=True, slots=True)
class HeapFigures:
    """What the allocators say: bytes of small objects, of the pools that hold any, and of the arenas they are in.

    ``blocks`` counts objects of any size; ``malloc_bytes`` is what the C library's allocator has handed out, which none
    of the others is part of; ``asked_bytes`` are all that were ever asked for.
    """

    small_bytes: Maybe[int]
    pools_bytes: Maybe[int]
    arenas_bytes: Maybe[int]
    blocks: Maybe[int]
    malloc_bytes: Maybe[int]
    asked_bytes: Maybe[int] = NO_TOTALS

    @property
    def all_bytes(self) -> Maybe[int]:
        """Small objects and, where it is known, what malloc holds for larger ones and everything else."""
        if isinstance(self.small_bytes, Missing) or isinstance(self.malloc_bytes, Missing):
            return self.small_bytes
        return self.small_bytes + self.malloc_bytes

    @property
    def idle_bytes(self) -> Maybe[int]:
        """Arenas without the pools in use; a pool taken into use just while they were read does not count below 0."""
        if isinstance(self.arenas_bytes, Missing):
            return self.arenas_bytes
        return (
            self.pools_bytes if isinstance(self.pools_bytes, Missing) else max(self.arenas_bytes - self.pools_bytes, 0)
        )


def mem_stats(heap: HeapFigures, seen: Maybe[Seen]) -> MemStats:
    """Map what the allocator and the collector say."""
    state = seen if isinstance(seen, Missing) else seen.state
    pauses = seen if isinstance(seen, Missing) else seen.pauses
    last_at_s = seen if isinstance(seen, Missing) else seen.last_at_s
    return MemStats(
        Alloc=heap.all_bytes,
        TotalAlloc=heap.asked_bytes,
        Sys=Missing("CPython does not know what malloc takes from the system; RSS and VMS tell"),
        Lookups=Missing("CPython looks no pointers up"),
        Mallocs=NO_TOTALS,
        Frees=NO_TOTALS,
        HeapAlloc=heap.all_bytes,
        HeapSmall=heap.small_bytes,
        HeapSys=heap.arenas_bytes,
        HeapIdle=heap.idle_bytes,
        HeapInuse=heap.pools_bytes,
        HeapReleased=Missing("CPython gives an empty arena back as a whole and then forgets it"),
        HeapObjects=heap.blocks,
        StackInuse=_NO_STACKS,
        StackSys=_NO_STACKS,
        MSpanInuse=_NO_SPANS,
        MSpanSys=_NO_SPANS,
        MCacheInuse=_NO_SPANS,
        MCacheSys=_NO_SPANS,
        BuckHashSys=Missing("CPython has no profiler that is always on"),
        GCSys=Missing("CPython's collector keeps its data in the objects themselves"),
        OtherSys=Missing("CPython does not account for its other memory"),
        NextGC=BY_COUNTS,
        LastGC=last_at_s if isinstance(last_at_s, Missing) else round(last_at_s * _NS_PER_S),
        PauseTotalNs=seen if isinstance(seen, Missing) else seen.paused_ns,
        NumGC=state if isinstance(state, Missing) else state.collections,
        NumForcedGC=NO_FORCED,
        GCCPUFraction=NO_CPU,
        EnableGC=state if isinstance(state, Missing) else state.enabled,
        DebugGC=state if isinstance(state, Missing) else bool(state.debug),
        BySize=Missing("CPython does not count allocations by size"),
        PauseNs=pauses if isinstance(pauses, Missing) else tuple(pause.duration_ns for pause in pauses),
        PauseEnd=pauses
        if isinstance(pauses, Missing)
        else tuple(round(pause.ended_at_s * _NS_PER_S) for pause in pauses),
    )
