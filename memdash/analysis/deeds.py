"""What an action did to a target, in one sentence."""

from __future__ import annotations

from memdash.model.action import Deed
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.units import figure, nanoseconds

__all__ = ["deed_words"]

_TOLD = ("HeapAlloc", "HeapObjects", "system.rss_bytes")
"""The figures that a collection or a trim is meant to lower."""


def deed_words(deed: Deed) -> str:
    """``force GC: 1 234 objects freed in 59 ms · HeapAlloc 412.3 MiB → 300.1 MiB · RSS 533.0 MiB → 530.2 MiB``."""
    words = f"{deed.action.value}{', under way' if deed.begun else ''}: {deed.words}"
    if deed.failed or not deed.action.changes:
        return words
    return " · ".join([f"{words} in {nanoseconds(deed.took_s * 1e9)}", *_changes(deed)])


def _changes(deed: Deed) -> list[str]:
    """Of figures that mean the same before and after: another source may count something else under the same name."""
    changes = []
    for key in _TOLD:
        metric = METRICS_BY_KEY[key]
        before, after = metric.read(deed.before), metric.read(deed.after)
        sources = [sample.origins.get(metric.capability) for sample in (deed.before, deed.after)]
        if len({origin.source if origin else None for origin in sources}) > 1:
            continue
        if not isinstance(before, Missing) and not isinstance(after, Missing):
            changes.append(f"{metric.label} {figure(before, metric.unit)} → {figure(after, metric.unit)}")
    return changes
