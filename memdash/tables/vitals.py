"""The figures that matter most, as one line of words."""

from __future__ import annotations

from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.tables.gc import gc_table
from memdash.tables.table import DASH
from memdash.units import figure

__all__ = ["VITAL", "figures_line", "gc_line"]

VITAL = ("HeapAlloc", "Sys", "system.rss_bytes", "gc.live_after_gc_bytes")
"""Keys of the metrics to keep when there is room for few."""

_GC_PARTS = (("GC", "NumGC"), ("", "rate"), ("p99", "pause p99"), ("CPU", "GC CPU"))
_NEXT = (("gc-at", "gc-at"), ("next at", "next target"))
"""Of these only the first that is there: a line of 80 cells has no room for both."""


def figures_line(snapshot: Snapshot) -> str:
    """``HeapAlloc 412.6 MiB · Sys 618.9 MiB · RSS 533.1 MiB``; what is Missing is left out."""
    parts = []
    for key in VITAL[:3]:
        metric = METRICS_BY_KEY[key]
        value = metric.read(snapshot.sample)
        if not isinstance(value, Missing):
            parts.append(f"{metric.label} {figure(value, metric.unit)}")
    return " · ".join(parts) or DASH


def gc_line(snapshot: Snapshot) -> str:
    """``GC 4 183 · 38 /min · p99 1.84 ms · CPU 2.4 % · next at 486.0 MiB``, or why there is nothing to say.

    Where collections are forced before a limit is reached, how that stands takes the place of the last part.
    """
    table = gc_table(snapshot)
    if not table.rows:
        return f"GC {DASH} {table.empty}"
    texts = {row.key: row.cells[1].text.partition("  ")[0] for row in table.rows}
    known = {key: text for key, text in texts.items() if text not in ("", DASH)}
    following = [(name, key) for name, key in _NEXT if key in known][:1]
    return " · ".join(f"{name} {known[key]}".strip() for name, key in (*_GC_PARTS, *following) if key in known)
