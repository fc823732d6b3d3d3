"""How fast something grows: the rate of a counter or a gauge, and that of the live heap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from memdash.analysis.points import newest_points
from memdash.analysis.rules.condition import RATE_OVER_S, Condition
from memdash.analysis.rules.measured import Measured, figure_of, looks_s, mildest_look, risen
from memdash.analysis.slopes import line
from memdash.analysis.trend import Trend, blocks, trend
from memdash.median import median
from memdash.model.finding import NotYet
from memdash.model.metric import Kind
from memdash.model.series import Timeline
from memdash.units import byte_size, duration

__all__ = ["live_rate", "rate"]

_FEWEST, _WIDER = 8, tuple(4**power for power in range(8))
"""Points without which growth has no rate, and how many times a span they are looked for: up to what is remembered."""
_SURE_Z = 1.96
_MOST = 64


def live_rate(condition: Condition, history: Timeline) -> Measured | NotYet:
    """The line through the live heap's floors of late, or through the last eight collections where they take longer.

    Whatever it grows for: a warm-up as well as a leak, which is what the verdict tells apart.
    """
    over_s, for_s = condition.over_s or RATE_OVER_S, condition.for_s
    span_s, seen = newest_points(history, (times * (over_s + for_s) for times in _WIDER), _FEWEST)
    if len(seen) < _FEWEST or seen.window_s < 0.5 * over_s + for_s:
        return NotYet(f"{seen.basis.value} has not been watched for {duration(over_s + for_s)}")

    def at(end_s: float) -> Trend | None:
        return trend(seen.between(end_s - (span_s - for_s), end_s))

    newest_s, *earlier_s = looks_s(condition, seen.times_s[-1])
    course = at(newest_s)
    if course is None:
        return NotYet(f"{seen.basis.value} has only just changed its course")
    newest = _shown(condition, course)
    return Measured(
        figure_of(condition, course.line.slope.per_s * condition.per_s),
        newest,
        mildest_look(condition, chain([newest], (_shown(condition, at(end_s)) for end_s in earlier_s))),
        condition.of.label,
        f": {seen.basis.value} rose by {byte_size(course.growth_bytes)} in {duration(course.window_s)}",
        {"per_s": course.line.slope.per_s, "window_s": course.window_s},
    )


def _shown(condition: Condition, course: Trend | None) -> float:
    """Its slope: 0 where no growth shows, NaN where there is none to be told."""
    if course is None:
        return math.nan
    slope = course.line.slope.per_s * condition.per_s
    return slope if slope <= 0 or course.growth_bytes > course.fall_bytes else 0.0


def rate(condition: Condition, history: Timeline) -> Measured | NotYet:
    """A counter's increments, or the line through a gauge, over the window; looked at again within ``for_s``."""
    label, over_s = condition.of.label, condition.over_s or RATE_OVER_S
    span_s = over_s + condition.for_s
    series = history.series(condition.metric, span_s)
    if not len(series) or math.isnan(series.last[-1]):
        return NotYet(f"{label} is not known")
    known_s = history.until.mono_s - history.since.mono_s
    while len(series.known) < _FEWEST and span_s < known_s:
        span_s, over_s = 4 * span_s, 4 * over_s
        series = history.series(condition.metric, span_s)
    known = series.known
    if len(known) < 3 or known[-1][0] - known[0][0] < 0.5 * over_s + condition.for_s - series.spacing_s:
        return NotYet(f"{label} has not been watched for {duration(over_s + condition.for_s)}")
    if not condition.op.is_upper and condition.of.kind is Kind.GAUGE and len(known) < _FEWEST:
        return NotYet(f"{label} has not been seen often enough")  # of a few values no growth is sure: that is no rest

    def at(end_s: float) -> float:
        return condition.per_s * _per_s(condition, [p for p in known if end_s - over_s <= p[0] <= end_s])

    newest_s, *earlier_s = looks_s(condition, known[-1][0])
    newest = at(newest_s)
    window_s = min(over_s, known[-1][0] - known[0][0])
    return Measured(
        figure_of(condition, newest),
        newest,
        mildest_look(condition, chain([newest], map(at, earlier_s))),
        label,
        f" in the last {duration(window_s)}",
        {"per_s": newest / condition.per_s, "window_s": window_s},
    )


def _per_s(condition: Condition, known: Sequence[tuple[float, float]]) -> float:
    """Growth a second; 0 where a gauge goes up and down without going anywhere. NaN for fewer than three values."""
    if len(known) < 3:
        return math.nan
    if condition.of.kind is Kind.COUNTER:
        return risen(known) / (known[-1][0] - known[0][0])
    times_s, values = blocks([t for t, _ in known], [value for _, value in known], _MOST, median)
    fitted = line([t - times_s[0] for t in times_s], values)
    if fitted is None or abs(fitted.z) < _SURE_Z:
        return 0.0
    return fitted.slope.per_s
