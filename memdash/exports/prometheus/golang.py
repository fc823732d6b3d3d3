"""The names, types and meanings of client_golang's Go collector, and two by which other guides know its figures."""

from __future__ import annotations

from collections.abc import Iterator

from memdash.exports.prometheus.family import Family, Row, Type, family, figure_of, label, only, readable
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.model.target import Runtime

__all__ = ["GO"]

_QUARTERS = 4
_NS = 1e9


def _memstats(name: str, field: str, explanation: str, per_unit: float = 1) -> Family:
    return family(name, explanation, Capability.MEMSTATS, figure_of("memstats", field), per_unit)


def _pauses(snapshot: Snapshot) -> Iterator[Row]:
    """The summary of the stop-the-world times: quartiles of the newest 256, as runtime/debug.ReadGCStats has them."""
    memstats = snapshot.sample.memstats
    if isinstance(memstats, Missing) or not readable(snapshot, Capability.MEMSTATS):
        return
    if isinstance(memstats.PauseNs, Missing):
        return
    ordered = sorted(memstats.PauseNs) or [0]
    for quarter in range(_QUARTERS + 1):
        at = min(len(ordered) * quarter // _QUARTERS, len(ordered) - 1)
        yield Row(ordered[at] / _NS, {"quantile": f"{quarter / _QUARTERS:g}"})
    if not isinstance(memstats.PauseTotalNs, Missing) and not isinstance(memstats.NumGC, Missing):
        yield Row(memstats.PauseTotalNs / _NS, suffix="_sum")
        yield Row(memstats.NumGC, suffix="_count")


def _info(snapshot: Snapshot) -> Iterator[Row]:
    if snapshot.target.runtime_version:
        yield Row(1, {"version": label(snapshot.target.runtime_version)})


_GO = (
    family(
        "go_goroutines", "Number of goroutines that currently exist.", Capability.TASKS, figure_of("tasks", "total")
    ),
    family("go_threads", "Number of OS threads.", Capability.SYSTEM, figure_of("system", "threads")),
    Family(
        "go_gc_duration_seconds",
        "A summary of the wall-time pause (stop-the-world) duration in garbage collection cycles.",
        Type.SUMMARY,
        _pauses,
    ),
    Family("go_info", "Information about the Go environment.", Type.GAUGE, _info),
    family("go_gc_gogc_percent", "Heap size target percentage (GOGC).", Capability.GC, figure_of("gc", "gogc")),
    family(
        "go_gc_gomemlimit_bytes",
        "Memory limit (GOMEMLIMIT), if set.",
        Capability.GC,
        figure_of("gc", "memory_limit_bytes"),
    ),
    _memstats("go_memstats_alloc_bytes", "Alloc", "Number of bytes allocated in heap and currently in use."),
    _memstats("go_memstats_alloc_bytes_total", "TotalAlloc", "Bytes ever allocated in heap, even if released already."),
    _memstats("go_memstats_sys_bytes", "Sys", "Number of bytes obtained from system."),
    _memstats("go_memstats_mallocs_total", "Mallocs", "Total number of heap objects allocated, both live and gc-ed."),
    _memstats("go_memstats_frees_total", "Frees", "Total number of heap objects frees."),
    _memstats("go_memstats_heap_alloc_bytes", "HeapAlloc", "Number of heap bytes allocated and currently in use."),
    _memstats("go_memstats_heap_sys_bytes", "HeapSys", "Number of heap bytes obtained from system."),
    _memstats("go_memstats_heap_idle_bytes", "HeapIdle", "Number of heap bytes waiting to be used."),
    _memstats("go_memstats_heap_inuse_bytes", "HeapInuse", "Number of heap bytes that are in use."),
    _memstats("go_memstats_heap_released_bytes", "HeapReleased", "Number of heap bytes released to OS."),
    _memstats("go_memstats_heap_objects", "HeapObjects", "Number of currently allocated objects."),
    _memstats("go_memstats_stack_inuse_bytes", "StackInuse", "Number of bytes in use by goroutine stacks."),
    _memstats("go_memstats_stack_sys_bytes", "StackSys", "Number of bytes obtained from system for stacks."),
    _memstats("go_memstats_mspan_inuse_bytes", "MSpanInuse", "Number of bytes in use by mspan structures."),
    _memstats("go_memstats_mspan_sys_bytes", "MSpanSys", "Number of bytes obtained from system for mspan structures."),
    _memstats("go_memstats_mcache_inuse_bytes", "MCacheInuse", "Number of bytes in use by mcache structures."),
    _memstats("go_memstats_mcache_sys_bytes", "MCacheSys", "Bytes obtained from system for mcache structures."),
    _memstats("go_memstats_buck_hash_sys_bytes", "BuckHashSys", "Bytes used by the profiling bucket hash table."),
    _memstats("go_memstats_gc_sys_bytes", "GCSys", "Number of bytes used for garbage collection system metadata."),
    _memstats("go_memstats_other_sys_bytes", "OtherSys", "Number of bytes used for other system allocations."),
    _memstats("go_memstats_next_gc_bytes", "NextGC", "Heap bytes when next garbage collection will take place."),
    _memstats("go_memstats_last_gc_time_seconds", "LastGC", "Seconds since 1970 of last garbage collection.", _NS),
    _memstats("go_memory_alloc_bytes", "Alloc", "The same as go_memstats_alloc_bytes."),
    _memstats("go_gc_total", "NumGC", "Garbage collections finished."),
)

GO = tuple(only(told, lambda snapshot: snapshot.target.runtime is Runtime.GO) for told in _GO)
"""Nothing of what runs on something else goes by these names."""
