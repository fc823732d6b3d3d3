"""How much of a watch the figures that it is judged by were known for, and what they leave out."""

from __future__ import annotations

from collections.abc import Iterable

from memdash.model.capability import Capability
from memdash.model.metric import HEAP, Metric
from memdash.model.missing import Missing
from memdash.model.series import watched_s
from memdash.model.snapshot import Snapshot
from memdash.units import duration

__all__ = ["WITHOUT_MALLOC", "left_out", "not_known", "not_read"]

_MOST_UNREAD = 0.1
"""The share of a watch for which, at its end, a reading may have failed."""

WITHOUT_MALLOC = "without malloc's part"
"""What is said of the heap of a CPython while no agent tells that."""


def not_read(capabilities: Iterable[Capability], shown: Snapshot) -> str:
    """Why one of them has not been read for too long, as a clause; empty where all have."""
    for capability in capabilities:
        origin = shown.sample.origins.get(capability)
        if origin is not None and origin.failing:
            old_s = shown.at.mono_s - origin.at.mono_s
            if _is_long(old_s, shown):
                return f"not read for the last {duration(old_s)}: {origin.failing}"
    return ""


def not_known(metric: Metric, shown: Snapshot) -> str:
    """Why a metric never was, or has not been for too long, as a clause; empty where it is, or was until just now."""
    why, known = metric.read(shown.sample), shown.history.series(metric.key, watched_s(shown.history)).known
    if not isinstance(why, Missing):
        return ""
    if not known:
        return f"{metric.label} is not known: {why.words}"
    old_s = shown.at.mono_s - known[-1][0]
    return f"not known for the last {duration(old_s)}: {why.words}" if _is_long(old_s, shown) else ""


def left_out(metric: Metric, shown: Snapshot) -> str:
    """What the figures of a metric do not count, to stand behind them; mostly nothing."""
    return f", {WITHOUT_MALLOC}" if metric.key in HEAP and shown.sample.counts_small_alone else ""


def _is_long(old_s: float, shown: Snapshot) -> bool:
    return old_s > max(_MOST_UNREAD * watched_s(shown.history), 2 * shown.interval_s)
