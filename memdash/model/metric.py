"""The metrics: one number each, read off a Sample. One list feeds history, tables, charts, rules and help.

To add a metric, add one entry: history starts to remember it, the help screen explains it, rules can name it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter

from memdash.model.capability import Capability
from memdash.model.gc import Generation
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Sample
from memdash.units import Unit

__all__ = ["HEAP", "LIVE_HEAP", "METRICS", "METRICS_BY_KEY", "Kind", "Metric"]

LIVE_HEAP = "heap.live_bytes"
"""The key of the metric that growth is judged by."""

_TERMS = frozenset({"system.rss_bytes", "system.vms_bytes", "smaps.pss_bytes", "smaps.uss_bytes"})
"""What everybody calls by its label."""

HEAP = frozenset({"HeapAlloc", "Alloc", LIVE_HEAP})
"""The keys of what counts malloc's part of a CPython as long as memdash's agent tells it."""


class Kind(Enum):
    """A gauge goes up and down; a counter only grows while the target lives, so only its rate is worth a chart."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True)
class Metric:
    """``key`` is how rules and files name it, ``label`` how a table does, ``explanation`` what help says of it.

    ``covers_s`` is how far back a value reaches: of what it tells nothing may have happened at its own moment.
    """

    key: str
    label: str
    unit: Unit
    kind: Kind
    explanation: str
    capability: Capability
    read: Callable[[Sample], Maybe[float]]
    covers_s: float = 0.0

    @property
    def name(self) -> str:
        """How a rule is told to people, who may write either: by the word of the field, as RSS, or else the key."""
        return self.label if self.key in _TERMS else self.key

    def seen(self, sample: Sample) -> float:
        """What a series keeps of it: NaN, a gap, where it is Missing or what reads it is failing."""
        if not sample.is_fresh(self.capability):
            return math.nan
        value = self.read(sample)
        return math.nan if isinstance(value, Missing) or not math.isfinite(value) else float(value)


def _reader(*path: str) -> Callable[[Sample], Maybe[float]]:
    """Read ``sample.a.b``, giving up with its reason at the first part that is Missing."""
    getters = [attrgetter(name) for name in path]

    def read(sample: Sample) -> Maybe[float]:
        value: object = sample
        for getter in getters:
            value = getter(value)
            if isinstance(value, Missing):
                return value
        if isinstance(value, (int, float)):
            return value
        raise TypeError(f"{'.'.join(path)} is no number: {type(value).__name__}")

    return read


def _go(name: str, unit: Unit, kind: Kind, explanation: str) -> Metric:
    return Metric(name, name, unit, kind, explanation, Capability.MEMSTATS, _reader("memstats", name))


def _at(part: str, name: str, label: str, unit: Unit, kind: Kind, explanation: str) -> Metric:
    return Metric(f"{part}.{name}", label, unit, kind, explanation, Capability(part), _reader(part, name))


def _cgroup(name: str, label: str, unit: Unit, kind: Kind, explanation: str) -> Metric:
    return Metric(
        f"cgroup.{name}", label, unit, kind, explanation, Capability.SYSTEM, _reader("system", "cgroup", name)
    )


_RECENT_S = 10.0


def _recent_pause(sample: Sample) -> Maybe[float]:
    """The longest pause that ended in the ten seconds before the sample; 0 when none did, Missing when nobody times.

    Of one that ended later than those after it the clock has been set back since: it was long ago, as all before it.
    The newest may end a little after the sample's moment, since it is read after that.
    """
    if isinstance(sample.gc, Missing):
        return sample.gc
    if not sample.gc.pauses and isinstance(sample.gc.pause_total_ns, Missing):
        return sample.gc.pause_total_ns
    longest_ns, since_s, until_s = 0, sample.at.wall_s - _RECENT_S, sample.at.wall_s + _RECENT_S
    for pause in sample.gc.pauses:
        if not since_s < pause.ended_at_s <= until_s:
            break
        longest_ns, until_s = max(longest_ns, pause.duration_ns), pause.ended_at_s
    return longest_ns


def _members(sample: Sample) -> Maybe[float]:
    return sample.family if isinstance(sample.family, Missing) else len(sample.family.members)


def _generational(figure: Callable[[Sequence[Generation]], int]) -> Callable[[Sample], Maybe[float]]:
    """A figure over the generations of the collector, youngest first."""

    def read(sample: Sample) -> Maybe[float]:
        if isinstance(sample.gc, Missing):
            return sample.gc
        return figure(sample.gc.generations) if sample.gc.generations else _NO_GENERATIONS

    return read


def _live_heap(sample: Sample) -> Maybe[float]:
    """Where references are counted, what is dead is gone at once: all that is allocated lives, cycles apart."""
    if isinstance(sample.memstats, Missing):
        return sample.memstats
    if isinstance(sample.gc, Missing):
        return sample.gc
    return sample.memstats.HeapAlloc if sample.gc.generations else sample.gc.live_after_gc_bytes


_NO_GENERATIONS = Missing("this collector has no generations")
_B, _N, _T, _R = Unit.BYTES, Unit.COUNT, Unit.NANOSECONDS, Unit.RATIO
_GAUGE, _COUNTER = Kind.GAUGE, Kind.COUNTER

METRICS: tuple[Metric, ...] = (
    _go("HeapAlloc", _B, _GAUGE, "Bytes of heap objects: the live ones and the dead ones not yet swept."),
    _go("TotalAlloc", _B, _COUNTER, "Bytes ever allocated for heap objects; its rate is the allocation rate."),
    _go("Sys", _B, _GAUGE, "Address space the runtime took from the system: the sum of all the Sys fields."),
    _go("Mallocs", _N, _COUNTER, "Heap objects ever allocated."),
    _go("Frees", _N, _COUNTER, "Heap objects ever freed."),
    _go("HeapObjects", _N, _GAUGE, "Heap objects now: Mallocs less Frees."),
    _go("HeapSys", _B, _GAUGE, "Address space of the heap, in use or idle."),
    _go("HeapInuse", _B, _GAUGE, "Bytes in spans that hold at least one object; above HeapAlloc by fragmentation."),
    _go("HeapIdle", _B, _GAUGE, "Bytes in spans that hold nothing; kept for reuse or returned (HeapReleased)."),
    _go("HeapReleased", _B, _GAUGE, "The part of HeapIdle whose pages were given back to the system."),
    _go("StackInuse", _B, _GAUGE, "Bytes in spans that hold goroutine stacks."),
    _go("StackSys", _B, _GAUGE, "StackInuse and the stacks of system threads."),
    _go("MSpanInuse", _B, _GAUGE, "Bytes of the runtime's span descriptors."),
    _go("MSpanSys", _B, _GAUGE, "Bytes taken from the system for span descriptors."),
    _go("MCacheInuse", _B, _GAUGE, "Bytes of the per-processor allocation caches."),
    _go("MCacheSys", _B, _GAUGE, "Bytes taken from the system for those caches."),
    _go("BuckHashSys", _B, _GAUGE, "Bytes of the profiler's hash tables."),
    _go("GCSys", _B, _GAUGE, "Bytes of the garbage collector's own data."),
    _go("OtherSys", _B, _GAUGE, "Other bytes the runtime took from the system."),
    _go("NextGC", _B, _GAUGE, "The heap size at which the next collection should finish."),
    _go("NumGC", _N, _COUNTER, "Collections finished."),
    _go("NumForcedGC", _N, _COUNTER, "Collections that the program itself asked for."),
    _go("PauseTotalNs", _T, _COUNTER, "Time the world was stopped for collections, in all."),
    _go("GCCPUFraction", _R, _GAUGE, "Share of the program's CPU time that collections took since it started."),
    _go("Alloc", _B, _GAUGE, "The same as HeapAlloc; Go keeps both names."),
    _go("Lookups", _N, _COUNTER, "Pointer lookups of the runtime; always 0 in today's Go."),
    _go("HeapSmall", _B, _GAUGE, "CPython: bytes of objects of up to 512 bytes, which do not come from malloc."),
    _at("malloc", "in_use_bytes", "malloc", _B, _GAUGE, "CPython: what the C library's malloc has handed out."),
    _at("malloc", "free_bytes", "malloc free", _B, _GAUGE, "CPython: what malloc keeps for reuse."),
    _at("gc", "live_after_gc_bytes", "live after GC", _B, _GAUGE, "What the last collection found reachable."),
    Metric(
        LIVE_HEAP,
        "live heap",
        _B,
        _GAUGE,
        "Growth is judged by it: what the last collection found reachable, or HeapAlloc where references are counted.",
        Capability.MEMSTATS,
        _live_heap,
    ),
    _at("gc", "pause_p50_ns", "pause p50", _T, _GAUGE, "Median stop-the-world time of the last collections."),
    _at("gc", "pause_p99_ns", "pause p99", _T, _GAUGE, "Stop-the-world time that 99 of 100 collections stay under."),
    _at("gc", "pause_max_ns", "pause max", _T, _GAUGE, "The longest stop-the-world time still remembered."),
    Metric(
        "gc.pause_recent_ns",
        "GC pause",
        _T,
        _GAUGE,
        "The longest stop-the-world time of the last ten seconds.",
        Capability.GC,
        _recent_pause,
        covers_s=_RECENT_S,
    ),
    Metric(
        "gc.full_collections",
        "full GCs",
        _N,
        _COUNTER,
        "CPython: collections of the oldest generation, which look at every object.",
        Capability.GC,
        _generational(lambda generations: generations[-1].collections),
    ),
    Metric(
        "gc.collected",
        "GC freed",
        _N,
        _COUNTER,
        "CPython: objects that collections freed, which reference counts alone would not have.",
        Capability.GC,
        _generational(lambda generations: sum(generation.collected for generation in generations)),
    ),
    _at("gc", "tracked_objects", "GC objects", _N, _GAUGE, "CPython: objects that the collector looks at."),
    _at(
        "tasks",
        "total",
        "tasks",
        _N,
        _GAUGE,
        "CPython: threads that run its code, asyncio tasks; Go: goroutines.",
    ),
    _at("system", "rss_bytes", "RSS", _B, _GAUGE, "Resident set: pages of the process that are in RAM now."),
    _at("system", "vms_bytes", "VMS", _B, _GAUGE, "Address space mapped, touched or not; says little about memory."),
    _at("system", "swap_bytes", "swap", _B, _GAUGE, "Pages of the process that are swapped out."),
    _at("system", "minor_faults", "minor faults", _N, _COUNTER, "Page faults served without reading from disk."),
    _at("system", "major_faults", "major faults", _N, _COUNTER, "Page faults that had to read from disk."),
    _at("system", "threads", "threads", _N, _GAUGE, "Operating-system threads."),
    _at("system", "fds", "open files", _N, _GAUGE, "Open file descriptors."),
    _at("system", "cpu_percent", "CPU", Unit.PERCENT, _GAUGE, "CPU time per second; 100 % is one core."),
    _at("system", "oom_score", "OOM score", _N, _GAUGE, "How early the kernel would kill it when memory runs out."),
    _at("smaps", "pss_bytes", "PSS", _B, _GAUGE, "RSS with shared pages divided among those who share them."),
    _at("smaps", "uss_bytes", "USS", _B, _GAUGE, "Pages that only this process has: what its end would free."),
    _at(
        "family",
        "rss_bytes",
        "tree RSS",
        _B,
        _GAUGE,
        "RSS of the whole process tree; shared pages count often.",
    ),
    _at("family", "pss_bytes", "tree PSS", _B, _GAUGE, "PSS of the whole process tree: what it really takes."),
    Metric(
        "family.members",
        "processes",
        _N,
        _GAUGE,
        "Processes of the tree that the target belongs to: a master, its workers and what they started.",
        Capability.FAMILY,
        _members,
    ),
    _cgroup("usage_bytes", "cgroup", _B, _GAUGE, "Memory charged to the target's cgroup, page cache included."),
    _cgroup("limit_bytes", "cgroup limit", _B, _GAUGE, "The cgroup's memory limit; beyond it the kernel kills."),
    _cgroup("used_ratio", "cgroup used", _R, _GAUGE, "Cgroup memory without droppable cache, over its limit."),
    _cgroup("oom_kills", "OOM kills", _N, _COUNTER, "Processes of this cgroup that the kernel killed for memory."),
)

METRICS_BY_KEY: Mapping[str, Metric] = {metric.key: metric for metric in METRICS}
