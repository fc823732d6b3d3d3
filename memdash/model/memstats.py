"""Go's runtime.MemStats, with Go's own names and meanings; other runtimes fill the fields that truly correspond."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.missing import Maybe, Missing

__all__ = ["MemStats", "SizeClass"]

_ONE_ALLOCATOR = Missing("this runtime has one allocator for objects of any size")


@dataclass(frozen=True, slots=True)
class SizeClass:
    """One element of MemStats.BySize: objects up to ``size_bytes`` each, allocated and freed so far."""

    size_bytes: int
    mallocs: int
    frees: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemStats:
    """Bytes are ints; Mallocs, Frees, Lookups, HeapObjects, NumGC, NumForcedGC count; the rest says its unit.

    LastGC is Unix time in ns (0 before the first GC). PauseNs and PauseEnd are newest first and hold min(NumGC, 256)
    entries (Go's own array is a ring). BySize has 61 rows, as Go reports them. HeapSmall is not of Go: the part of
    HeapAlloc that a runtime with an allocator of its own for small objects (CPython) keeps there. Source: the
    documentation of runtime.MemStats.
    """

    Alloc: Maybe[int]
    TotalAlloc: Maybe[int]
    Sys: Maybe[int]
    Lookups: Maybe[int]
    Mallocs: Maybe[int]
    Frees: Maybe[int]
    HeapAlloc: Maybe[int]
    HeapSys: Maybe[int]
    HeapIdle: Maybe[int]
    HeapInuse: Maybe[int]
    HeapReleased: Maybe[int]
    HeapObjects: Maybe[int]
    StackInuse: Maybe[int]
    StackSys: Maybe[int]
    MSpanInuse: Maybe[int]
    MSpanSys: Maybe[int]
    MCacheInuse: Maybe[int]
    MCacheSys: Maybe[int]
    BuckHashSys: Maybe[int]
    GCSys: Maybe[int]
    OtherSys: Maybe[int]
    NextGC: Maybe[int]
    LastGC: Maybe[int]
    PauseTotalNs: Maybe[int]
    NumGC: Maybe[int]
    NumForcedGC: Maybe[int]
    GCCPUFraction: Maybe[float]
    EnableGC: Maybe[bool]
    DebugGC: Maybe[bool]
    BySize: Maybe[tuple[SizeClass, ...]]
    PauseNs: Maybe[tuple[int, ...]]
    PauseEnd: Maybe[tuple[int, ...]]
    HeapSmall: Maybe[int] = _ONE_ALLOCATOR
