"""The figure that a condition is about, as the history has it."""

from __future__ import annotations

import math

from memdash.analysis.rules.condition import Condition
from memdash.analysis.rules.grown import grown, live_grown
from memdash.analysis.rules.measured import Measured, figure_of, mildest
from memdash.analysis.rules.rising import live_rate, rate
from memdash.model.finding import NotYet
from memdash.model.metric import LIVE_HEAP
from memdash.model.series import Timeline
from memdash.units import duration

__all__ = ["measured"]


def measured(condition: Condition, history: Timeline) -> Measured | NotYet:
    """Measure it as of the history's newest sample.

    Microseconds for a level, 0.2 ms for growth in all, 0.5 ms for a rate of growth: once more for each look at one that
    must hold for a time, while it does.
    """
    if not condition.grows:
        return _level(condition, history)
    if condition.metric == LIVE_HEAP:
        return live_rate(condition, history) if condition.per_s else live_grown(condition, history)
    return rate(condition, history) if condition.per_s else grown(condition, history)


def _level(condition: Condition, history: Timeline) -> Measured | NotYet:
    """The newest value, and the mildest of the last ``for_s`` seconds; a gap in them breaks what has held."""
    label = condition.of.label
    series = history.series(condition.metric, condition.for_s + 1.0)
    if not len(series) or math.isnan(series.last[-1]):
        return NotYet(f"{label} is not known")
    if series.times_s[-1] - series.times_s[0] < condition.for_s - series.spacing_s:
        return NotYet(f"{label} has not been watched for {duration(condition.for_s)}")
    newest = series.last[-1]
    since_s = history.until.mono_s - condition.for_s
    mild = series.low if condition.op.is_upper else series.high
    within = [value for seen_s, value in zip(series.seen_s, mild, strict=True) if since_s <= seen_s]
    broken = any(value != value for value in within)  # NaN is unlike itself
    deciding = math.nan if broken else mildest(condition, within) if condition.for_s else newest
    return Measured(figure_of(condition, newest), newest, deciding, label)
