"""What an action did to a target: what it freed, what it changed, in one sentence and as figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from memdash.model.action import Action, Deed
from memdash.model.metric import METRICS_BY_KEY, Metric
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Sample
from memdash.units import byte_size, figure, nanoseconds

__all__ = ["Change", "changes", "deed_figures", "deed_words", "fall_bytes", "freed_bytes"]

_TOLD = ("HeapAlloc", "HeapObjects", "system.rss_bytes")
"""The figures that a collection or a trim is meant to lower."""

_UNTOLD = Missing("nothing that can be compared tells what was freed")


class Change(NamedTuple):
    """A figure before and after, in the unit of its metric."""

    metric: Metric
    before: float
    after: float


def deed_words(deed: Deed) -> str:
    """What was done, what came of it, how long it took and what it changed.

    ``force GC: 1 234 objects freed in 59 ms · freed 112.2 MiB · HeapAlloc 412.3 MiB → 300.1 MiB · RSS 533.0 MiB → …``;
    what memdash did without being asked begins with ``force GC by`` and its cause.
    """
    name = f"{deed.action.value} by {deed.cause}" if deed.cause else deed.action.value
    words = f"{name}{', under way' if deed.begun else ''}: {deed.words}"
    if deed.failed or not deed.action.changes:
        return words
    return " · ".join([f"{words} in {nanoseconds(deed.took_s * 1e9)}", *_freed_words(deed), *_change_words(deed)])


def deed_figures(deed: Deed) -> Mapping[str, float | str]:
    """The same for programs: ``took_s``, ``freed_bytes``, ``HeapAlloc.before`` …; without those that are not known."""
    found: dict[str, float | str] = {"action": deed.action.value, "took_s": round(deed.took_s, 6)}
    if deed.cause:
        found["cause"] = deed.cause
    freed = freed_bytes(deed)
    if not isinstance(freed, Missing):
        found["freed_bytes"] = freed
    for metric, before, after in changes(deed):
        found |= {f"{metric.key}.before": before, f"{metric.key}.after": after}
    return found


def freed_bytes(deed: Deed) -> Maybe[int]:
    """How much less there is after it: of HeapAlloc for a collection, of RSS for a trim.

    It is less than 0 when the target took more meanwhile than it gave. What was allocated and freed in between does not
    count: a question to an endpoint alone makes a megabyte of garbage.
    """
    if deed.failed or not deed.action.changes:
        return _UNTOLD
    return fall_bytes(deed.before, deed.after, "system.rss_bytes" if deed.action is Action.TRIM else "HeapAlloc")


def fall_bytes(before: Sample, after: Sample, key: str) -> Maybe[int]:
    """By how much a figure of bytes fell."""
    change = _change(before, after, key)
    return _UNTOLD if change is None else round(change.before - change.after)


def changes(deed: Deed) -> tuple[Change, ...]:
    """The figures that it was meant to lower, as far as both are known and mean the same."""
    if deed.failed or not deed.action.changes:
        return ()
    found = (_change(deed.before, deed.after, key) for key in _TOLD)
    return tuple(change for change in found if change is not None)


def _change(before: Sample, after: Sample, key: str) -> Change | None:
    """None where another source counts something else under the same name, or the newest reading failed."""
    metric = METRICS_BY_KEY[key]
    was, now = metric.read(before), metric.read(after)
    origins = [sample.origins.get(metric.capability) for sample in (before, after)]
    if len({origin.source if origin else None for origin in origins}) > 1:
        return None
    if any(origin.failing for origin in origins if origin is not None):
        return None
    return None if isinstance(was, Missing) or isinstance(now, Missing) else Change(metric, was, now)


def _freed_words(deed: Deed) -> list[str]:
    freed = freed_bytes(deed)
    if isinstance(freed, Missing):
        return []
    verb = "gave back" if deed.action is Action.TRIM else "freed"
    return [f"{verb} {byte_size(freed) if freed > 0 else 'nothing'}"]


def _change_words(deed: Deed) -> list[str]:
    return [
        f"{metric.label} {figure(before, metric.unit)} → {figure(after, metric.unit)}"
        for metric, before, after in changes(deed)
    ]
