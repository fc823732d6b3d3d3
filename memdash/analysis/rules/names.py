"""The metrics by all the names that people know them by."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from memdash.errors import UsageError
from memdash.model.metric import LIVE_HEAP, METRICS, METRICS_BY_KEY, Metric
from memdash.spelling import nearest

__all__ = ["metric_named"]

_OTHERS = {
    "goroutines": "tasks.total",
    "go_goroutines": "tasks.total",
    "tasks": "tasks.total",
    "go_threads": "system.threads",
    "heap": LIVE_HEAP,
    "live_heap": LIVE_HEAP,
    "gc.pause": "gc.pause_recent_ns",
    "gc_pause": "gc.pause_recent_ns",
    "cgroup": "cgroup.usage_bytes",
    "cpu": "system.cpu_percent",
    "process_resident_memory_bytes": "system.rss_bytes",
    "process_virtual_memory_bytes": "system.vms_bytes",
    "process_open_fds": "system.fds",
    "go_memstats_next_gc_bytes": "NextGC",
    "go_memstats_alloc_bytes_total": "TotalAlloc",
}
"""What other tools call them. Go's own collector for Prometheus writes most of its names so that ``_folded`` knows."""

_NEARBY = ("gc", "system", "smaps")
"""What is of the process itself goes without the part before the dot: ``rss`` is not that of its tree."""

_UNITS = re.compile(r"_(bytes|ns|percent|ratio)$", re.IGNORECASE)
_PREFIXES = re.compile(r"^(runtime\.)?memstats\.|^go_memstats_", re.IGNORECASE)


def metric_named(text: str) -> Metric:
    """By its key, or by another name that can mean one alone, whatever the case. Raises UsageError."""
    if (found := METRICS_BY_KEY.get(text) or _names().get(_folded(text))) is not None:
        return found
    known = {name: metric.name for name, metric in _names().items()} | {_folded(name): name for name in _OTHERS}
    guess = known.get(nearest(_folded(text), known), "")
    hint = f"did you mean {guess}?" if guess else f"the metrics are {', '.join(metric.name for metric in METRICS)}"
    raise UsageError(f"there is no metric {text!r}", hint)


def _folded(name: str) -> str:
    return re.sub(r"[_.\s]", "", _UNITS.sub("", _PREFIXES.sub("", name.strip()))).lower()


def _spellings(metric: Metric) -> Iterator[str]:
    part, _, name = metric.key.rpartition(".")
    yield _folded(metric.key)
    yield _folded(metric.label)
    if part in _NEARBY:
        yield _folded(name)


@cache
def _names() -> dict[str, Metric]:
    """Folded names; what may mean two metrics means none."""
    spelled = [(name, metric) for metric in METRICS for name in dict.fromkeys(_spellings(metric))]
    often = Counter(name for name, _ in spelled)
    names = {name: metric for name, metric in spelled if often[name] == 1}
    names |= {_folded(metric.key): metric for metric in METRICS}
    return names | {_folded(name): METRICS_BY_KEY[key] for name, key in _OTHERS.items()}
