"""The garbage collector at one instant."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.missing import Maybe, Missing

__all__ = ["NO_LIMIT", "OFF", "Cycle", "GcStats", "Generation", "Pause"]

OFF = Missing("off", "set GOGC or call debug.SetGCPercent")
NO_LIMIT = Missing("no limit is set", "set GOMEMLIMIT or call debug.SetMemoryLimit")
_UNCOUNTED = Missing("this collector does not count the objects it looks at")


@dataclass(frozen=True, slots=True)
class Pause:
    """One cycle's stop-the-world time. ``ended_at_s`` is wall time."""

    ended_at_s: float
    duration_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """The latest finished cycle: how long it took and marked; the heap at its start, at mark end, and what lived."""

    duration_ns: int
    mark_ns: int
    heap_start_bytes: int
    heap_end_bytes: int
    heap_live_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One generation of a generational collector (CPython), under its own name: ``0``, or ``young``.

    ``collections`` so far, the objects they freed and those they could not; the generation is due for the next one when
    ``count`` exceeds ``threshold``. The youngest counts allocations less deallocations, the others the collections of
    the generation before them.
    """

    name: str
    collections: int
    collected: int
    uncollectable: int
    count: Maybe[int]
    threshold: Maybe[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GcStats:
    """Counts and settings of the collector.

    ``live_after_gc_bytes`` is what the last cycle found reachable (Go: heapMarked); 0 cycles make it Missing.
    Percentiles are over the pauses that the runtime still remembers (Go: the newest 256). ``gogc`` is OFF when
    collection by growth is, ``memory_limit_bytes`` NO_LIMIT when none is set. ``pauses`` is newest first.
    ``generations`` is youngest first, and empty for a collector that has none; ``tracked_objects`` counts those that it
    would look at (CPython).
    """

    count: Maybe[int]
    forced: Maybe[int]
    last_at_s: Maybe[float]
    next_target_bytes: Maybe[int]
    live_after_gc_bytes: Maybe[int]
    pause_p50_ns: Maybe[int]
    pause_p99_ns: Maybe[int]
    pause_max_ns: Maybe[int]
    pause_total_ns: Maybe[int]
    cpu_fraction: Maybe[float]
    phase: Maybe[str]
    gogc: Maybe[int]
    memory_limit_bytes: Maybe[int]
    last_cycle: Maybe[Cycle]
    pauses: tuple[Pause, ...]
    generations: tuple[Generation, ...] = ()
    tracked_objects: Maybe[int] = _UNCOUNTED
