"""The MemStats table, most telling rows first, with what the kernel says of the same memory below."""

from __future__ import annotations

from collections.abc import Mapping

from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.model.target import Runtime
from memdash.tables.figures import metric_cells
from memdash.tables.table import Cell, Column, Row, Table, Tone

__all__ = ["memstats_table", "metric_words"]

_TREE = ("family.pss_bytes", "family.rss_bytes", "family.members")
_RUNTIME = (
    "HeapAlloc", "TotalAlloc", "Sys", "HeapInuse", "HeapIdle", "HeapReleased", "HeapObjects", "Mallocs", "Frees",
    "StackInuse", "gc.live_after_gc_bytes", "NextGC", "HeapSys", "StackSys", "MSpanInuse", "MSpanSys", "MCacheInuse",
    "MCacheSys", "BuckHashSys", "GCSys", "OtherSys", "NumGC", "NumForcedGC", "PauseTotalNs", "GCCPUFraction", "Alloc",
    "Lookups",
)  # fmt: skip
_KERNEL = (
    "system.rss_bytes", *_TREE, "smaps.pss_bytes", "smaps.uss_bytes", "system.swap_bytes", "system.vms_bytes",
    "cgroup.usage_bytes", "cgroup.limit_bytes", "cgroup.used_ratio", "system.threads", "system.fds",
    "system.minor_faults", "system.major_faults", "system.cpu_percent", "system.oom_score",
)  # fmt: skip
_LEADING = (
    "HeapAlloc", "Sys", "HeapInuse", "HeapIdle", "HeapObjects", "system.rss_bytes", *_TREE, "TotalAlloc",
    "HeapReleased",
)  # fmt: skip
_PYTHON = (
    "HeapAlloc", "HeapSmall", "malloc.in_use_bytes", "HeapObjects", "HeapInuse", "HeapIdle", "HeapSys",
    "system.rss_bytes", *_TREE, "TotalAlloc", "malloc.free_bytes", "NumGC", "gc.full_collections", "gc.collected",
    "gc.tracked_objects", "PauseTotalNs",
)  # fmt: skip
_PYTHON_SINCE = frozenset(
    {"gc.tracked_objects", "PauseTotalNs", "malloc.in_use_bytes", "malloc.free_bytes", "TotalAlloc"}
)
"""Figures that only newer CPythons keep, or only an agent or its sampler tells: without them no row."""

_PYTHON_WORDS: Mapping[str, str] = {
    "HeapAlloc": (
        "Bytes of small objects (up to 512 bytes each) and, once an agent tells, of what malloc has handed out "
        "for larger objects and by libraries. Without an agent, larger ones come from malloc and are not counted."
    ),
    "TotalAlloc": "Bytes asked for since its allocations are sampled, also of what was freed; its rate is exact.",
    "HeapObjects": "Blocks of memory that hold objects now, small or large: what sys.getallocatedblocks() says.",
    "HeapInuse": "Bytes in pools that hold at least one small object; above HeapAlloc by fragmentation.",
    "HeapIdle": "Bytes in arenas outside those pools; kept for reuse.",
    "HeapSys": "Bytes in the arenas that the allocator of small objects took from the system.",
    "NumGC": "Collections finished, of any generation.",
    "PauseTotalNs": "Time the program was held up by collections, in all, or since an agent times them.",
}
_STRONG = frozenset({"HeapAlloc", "Sys", "system.rss_bytes"})
_COLUMNS = (
    Column("name", "", 14, least=12),
    Column("value", "", 10, right=True),
    Column("change", "Δ/s", 13, right=True),
    Column("trend", "last min", 0, least=6, drop=1),
)


def memstats_table(snapshot: Snapshot) -> Table:
    """One row a metric: name, value, change per second, last minute.

    Rows whose whole source is absent (no Go runtime, no cgroup limit, no process tree) are left out, and of a CPython
    program those that it has no equivalent of; single figures that could not be read stay, with their reason. The most
    telling rows come first, so that a pane of any height shows those.
    """
    is_python = snapshot.target.runtime is Runtime.CPYTHON
    leading, others = (_PYTHON, _KERNEL) if is_python else (_LEADING, (*_RUNTIME, *_KERNEL))
    order = [*leading, *(key for key in others if key not in leading)]
    rows = tuple(_row(key, snapshot) for key in order if not _absent(key, snapshot))
    memstats = snapshot.sample.memstats
    return Table("MemStats", _COLUMNS, rows, memstats.words if isinstance(memstats, Missing) else "")


def metric_words(key: str, snapshot: Snapshot) -> str:
    """What a metric means in a program of this runtime."""
    words = _PYTHON_WORDS if snapshot.target.runtime is Runtime.CPYTHON else {}
    return words.get(key, METRICS_BY_KEY[key].explanation)


def _absent(key: str, snapshot: Snapshot) -> bool:
    sample = snapshot.sample
    if isinstance(getattr(sample, METRICS_BY_KEY[key].capability.value), Missing):
        return True
    if key in _TREE:
        return isinstance(sample.family, Missing) or not sample.family.is_tree
    if key.startswith("cgroup.") or (key in _PYTHON_SINCE and snapshot.target.runtime is Runtime.CPYTHON):
        return isinstance(METRICS_BY_KEY[key].read(sample), Missing)
    # without malloc's part it is what HeapAlloc says already
    return key == "HeapSmall" and isinstance(METRICS_BY_KEY["malloc.in_use_bytes"].read(sample), Missing)


def _row(key: str, snapshot: Snapshot) -> Row:
    metric = METRICS_BY_KEY[key]
    tone = Tone.STRONG if key in _STRONG else Tone.PLAIN
    name = Cell(metric.label, note=metric_words(key, snapshot))
    return Row(key, lambda: (name, *metric_cells(key, snapshot, tone)))
