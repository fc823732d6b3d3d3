"""The lines of the heap chart: HeapAlloc, live after GC, Sys, RSS, and where collections ended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from memdash.analysis.resample import Column, columns, newest
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.series import Timeline
from memdash.model.snapshot import Snapshot

__all__ = ["HEAP_LINES", "HeapChart", "HeapLimit", "Line", "heap_chart", "heap_limits"]

HEAP_LINES = (
    ("HeapAlloc", "HeapAlloc"),
    ("gc.live_after_gc_bytes", "live after GC"),
    ("system.rss_bytes", "RSS"),
    ("Sys", "Sys"),
)
"""(metric key, label), in drawing order: what is drawn first may be covered."""


class HeapLimit(NamedTuple):
    """A limit that those lines live under, and what it is called."""

    label: str
    value: int


@dataclass(frozen=True, slots=True)
class Line:
    """One metric cut to the chart's columns, oldest first; NaN columns are gaps."""

    key: str
    label: str
    columns: tuple[Column, ...]

    @property
    def known(self) -> bool:
        """Whether anything can be drawn."""
        return any(not math.isnan(column.last) for column in self.columns)


@dataclass(frozen=True, slots=True)
class HeapChart:
    """``span_s`` seconds in ``width`` columns; ``gc_columns`` are those in which a collection finished.

    ``end_s`` is where the last column ends, on the monotonic clock: that of the history, or a part of a column later.
    """

    span_s: float
    end_s: float
    width: int
    lines: tuple[Line, ...]
    gc_columns: tuple[int, ...]
    low_bytes: float
    high_bytes: float


def heap_chart(history: Timeline, span_s: float, width: int) -> HeapChart:
    """Cut the chart's metrics to ``width`` columns, up to the end of ``history``.

    Columns begin at multiples of their length, so that a sample stays in its column while the chart moves on.
    """
    step_s = span_s / max(width, 1)
    end_s = math.ceil(history.until.mono_s / step_s) * step_s
    lines = tuple(
        Line(key, label, tuple(columns(history.series(key, span_s), end_s, span_s, width))) for key, label in HEAP_LINES
    )
    counts = newest(history.series("NumGC", span_s), end_s, span_s, width) if width else ()
    marks = tuple(index for index, (before, after) in enumerate(pairwise(counts), start=1) if after > before)
    seen = [value for line in lines for c in line.columns for value in (c.low, c.high) if not math.isnan(value)]
    return HeapChart(span_s, end_s, width, lines, marks, min(seen, default=0.0), max(seen, default=0.0))


def heap_limits(snapshot: Snapshot) -> tuple[HeapLimit, ...]:
    """GOMEMLIMIT and the cgroup's limit, as far as they are set."""
    gc = snapshot.sample.gc
    found = {
        "GOMEMLIMIT": gc if isinstance(gc, Missing) else gc.memory_limit_bytes,
        "cgroup limit": METRICS_BY_KEY["cgroup.limit_bytes"].read(snapshot.sample),
    }
    return tuple(HeapLimit(label, round(value)) for label, value in found.items() if not isinstance(value, Missing))
