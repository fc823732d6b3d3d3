"""How fast something grows: the rate of a counter or a gauge, and that of the live heap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from memdash.analysis.points import points
from memdash.analysis.rules.condition import RATE_OVER_S, Condition
from memdash.analysis.rules.measured import Measured, figure_of, looks_s, mildest_look, risen, wider_s
from memdash.analysis.slopes import line
from memdash.analysis.trend import Trend, blocks, trend
from memdash.median import median
from memdash.model.finding import NotYet
from memdash.model.metric import Kind
from memdash.model.series import Timeline, watched_s
from memdash.units import byte_size, duration

__all__ = ["live_rate", "rate"]

_FEWEST = 8
"""Points without which growth has no rate: they are looked for in wider and wider windows."""

_SURE_Z = 1.96
_MOST = 64


def live_rate(condition: Condition, history: Timeline) -> Measured | NotYet:
    """The line through the live heap's floors of late, or through the last eight collections where they take longer.

    Whatever it grows for: a warm-up as well as a leak, which is what the verdict tells apart.
    """
    asked_s, for_s = condition.over_s or RATE_OVER_S, condition.for_s
    for over_s in wider_s(asked_s):
        seen = points(history, over_s + for_s)
        newest_s = seen.times_s[-1] if len(seen) else history.until.mono_s
        if len(seen.since(newest_s - over_s)) >= _FEWEST or over_s + for_s >= watched_s(history):
            break
    if len(seen) < _FEWEST or seen.window_s < 0.5 * asked_s + for_s:
        return NotYet(f"{seen.basis.value} has not been watched for {duration(asked_s + for_s)}")

    def at(end_s: float) -> Trend | None:
        return trend(seen.between(end_s - over_s, end_s))

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
    """Its slope, as far as growth shows; NaN where there is none to be told."""
    if course is None:
        return math.nan
    slope, is_sure = course.line.slope.per_s, course.growth_bytes > course.fall_bytes
    return condition.per_s * (slope if slope <= 0 or is_sure else _doubtful(condition, slope))


def _doubtful(condition: Condition, per_s: float) -> float:
    """What is made of growth that chance may have made: none, but no standstill either where less is worse.

    A program that has little of the CPU grows by fits and starts: then a line through a few values is never sure.
    """
    return 0.0 if condition.op.is_upper else max(per_s, 0.0)


def rate(condition: Condition, history: Timeline) -> Measured | NotYet:
    """A counter's increments, or the line through a gauge, over the window; looked at again within ``for_s``."""
    label, asked_s, for_s = condition.of.label, condition.over_s or RATE_OVER_S, condition.for_s
    for over_s in wider_s(asked_s):
        series = history.series(condition.metric, over_s + for_s)
        if not len(series) or math.isnan(series.last[-1]):
            return NotYet(f"{label} is not known")
        known = series.known
        if len(_ending(known, known[-1][0], over_s)) >= _FEWEST or over_s + for_s >= watched_s(history):
            break
    if len(known) < 3 or known[-1][0] - known[0][0] < 0.5 * asked_s + for_s - series.spacing_s:
        return NotYet(f"{label} has not been watched for {duration(asked_s + for_s)}")

    def at(end_s: float) -> float:
        return condition.per_s * _per_s(condition, _ending(known, end_s, over_s))

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


def _ending(known: Sequence[tuple[float, float]], end_s: float, over_s: float) -> Sequence[tuple[float, float]]:
    """What was seen in the window that ended then."""
    return [point for point in known if end_s - over_s <= point[0] <= end_s]


def _per_s(condition: Condition, known: Sequence[tuple[float, float]]) -> float:
    """Growth a second, doubtful where a gauge goes up and down. NaN for fewer than three values."""
    if len(known) < 3:
        return math.nan
    if condition.of.kind is Kind.COUNTER:
        return risen(known) / (known[-1][0] - known[0][0])
    times_s, values = blocks([t for t, _ in known], [value for _, value in known], _MOST, median)
    fitted = line([t - times_s[0] for t in times_s], values)
    if fitted is None:
        return math.nan
    return fitted.slope.per_s if abs(fitted.z) >= _SURE_Z else _doubtful(condition, fitted.slope.per_s)
