"""The figure that a condition is about, as the history has it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from memdash.analysis.points import newest_points
from memdash.analysis.rules.condition import RATE_OVER_S, Condition
from memdash.analysis.slopes import line
from memdash.analysis.trend import blocks, trend
from memdash.median import median
from memdash.model.finding import Figure, NotYet
from memdash.model.metric import Kind
from memdash.model.series import Timeline
from memdash.units import byte_size, duration

__all__ = ["Measured", "measured"]

_LIVE_HEAP = "heap.live_bytes"
_FEWEST, _WIDER = 8, tuple(4**power for power in range(8))
"""Points without which growth has no rate, and how many times a span they are looked for: up to what is remembered."""
_SURE_Z = 1.96
_MOST = 64
_LOOKS = 4
"""A rate that must hold for a time is looked at so many times in it, and now."""


@dataclass(frozen=True, slots=True)
class Measured:
    """``figure`` is what it is now; ``newest`` is its value, 0 where no growth shows beyond what comes and goes.

    ``deciding`` is the mildest that it has been in the condition's ``for_s``: while that is beyond the bound, all is.
    ``subject`` and ``detail`` stand before and after the figure in a sentence.
    """

    figure: Figure
    newest: float
    deciding: float
    subject: str
    detail: str = ""
    evidence: Mapping[str, float | str] = field(default_factory=dict)


def measured(condition: Condition, history: Timeline) -> Measured | NotYet:
    """Measure it as of the history's newest sample. Microseconds for a level, 0.5 ms for a rate of growth."""
    if not condition.grows:
        return _level(condition, history)
    if condition.metric == _LIVE_HEAP:
        return _live_rate(condition, history) if condition.per_s else _live_growth(condition, history)
    return _rate(condition, history) if condition.per_s else _growth(condition, history)


def _figure(condition: Condition, value: float) -> Figure:
    return Figure(value, condition.of.unit, condition.per, signed=condition.grows, sinks=not condition.op.is_upper)


def _mildest(condition: Condition, values: Sequence[float]) -> float:
    return min(values) if condition.op.is_upper else max(values)


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
    deciding = math.nan if broken else _mildest(condition, within) if condition.for_s else newest
    return Measured(_figure(condition, newest), newest, deciding, label)


def _growth(condition: Condition, history: Timeline) -> Measured | NotYet:
    """From the first value of the window, or since the baseline, to the mildest of the newest three."""
    label = condition.of.label
    span_s = condition.over_s or history.until.mono_s - history.baseline.mono_s
    series = history.series(condition.metric, span_s)
    mild = series.low if condition.op.is_upper else series.high
    values, known = [value for value in mild if value == value], series.known  # NaN is unlike itself
    if len(known) < 2:
        return NotYet(f"{label} has not been seen twice")
    if math.isnan(series.last[-1]):
        return NotYet(f"{label} is not known")
    watched_s = series.seen_s[-1] - series.times_s[0]
    if not condition.op.is_upper and condition.over_s and watched_s < condition.over_s - series.spacing_s:
        return NotYet(f"{label} has not been watched for {duration(condition.over_s)}")
    before = known[0][1]
    now = before + _risen(known) if condition.of.kind is Kind.COUNTER else _mildest(condition, values[-3:])
    return _grown(condition, label, before, now, watched_s)


def _risen(known: Sequence[tuple[float, float]]) -> float:
    """By how much a counter rose; where it went back it was another program's, or a reset."""
    return sum(max(after[1] - before[1], 0.0) for before, after in pairwise(known))


def _live_growth(condition: Condition, history: Timeline) -> Measured | NotYet:
    """The same of the live heap after collections, or of what is resident where nothing else is known."""
    span_s = condition.over_s or history.until.mono_s - history.baseline.mono_s
    # The newest few alone: all points of three days would take 1.5 ms at each tick.
    _, seen = newest_points(history, (times * min(span_s, RATE_OVER_S) for times in _WIDER), fewest=3)
    seen = seen.since(history.until.mono_s - span_s)
    known = history.series(seen.basis.metric, span_s).known
    if len(seen) < 2 or not known:
        return NotYet(f"{seen.basis.value} has not been seen twice")
    now = _mildest(condition, seen.values[-3:])
    return _grown(condition, seen.basis.value, known[0][1], now, seen.window_s)


def _grown(condition: Condition, what: str, before: float, now: float, watched_s: float) -> Measured:
    grown = now - before
    figure = _figure(condition, grown)
    levels = (Figure(value, figure.unit).words for value in (before, now))
    return Measured(
        figure,
        grown,
        grown,
        f"{condition.of.label} growth",
        ": {} was {} and is {}".format(what, *levels),
        {"before": before, "value": now, "window_s": watched_s},
    )


def _live_rate(condition: Condition, history: Timeline) -> Measured | NotYet:
    """The line through the live heap's floors of late, or through the last eight collections where they take longer.

    Whatever it grows for: a warm-up as well as a leak, which is what the verdict tells apart.
    """
    over_s = condition.over_s or RATE_OVER_S
    _, seen = newest_points(history, (times * (over_s + condition.for_s) for times in _WIDER), _FEWEST)
    if len(seen) < _FEWEST or seen.window_s < 0.5 * over_s:
        return NotYet(f"{seen.basis.value} has not been watched for {duration(over_s)}")
    course = trend(seen)
    if course is None:
        return NotYet(f"{seen.basis.value} has only just changed its course")
    rate = course.line.slope.per_s * condition.per_s
    shows = course.growth_bytes > course.fall_bytes
    figure = _figure(condition, rate)
    return Measured(
        figure,
        rate if shows or rate <= 0 else 0.0,
        rate if shows or rate <= 0 else 0.0,
        condition.of.label,
        f": {seen.basis.value} rose by {byte_size(course.growth_bytes)} in {duration(course.window_s)}",
        {"per_s": course.line.slope.per_s, "window_s": course.window_s},
    )


def _rate(condition: Condition, history: Timeline) -> Measured | NotYet:
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
    steps = range(_LOOKS + 1) if condition.for_s else range(1)
    ends_s = [known[-1][0] - step * condition.for_s / _LOOKS for step in steps]
    rates = [_per_s(condition, [p for p in known if end_s - over_s <= p[0] <= end_s]) for end_s in ends_s]
    rates = [rate * condition.per_s for rate in rates]
    window_s = min(over_s, known[-1][0] - known[0][0])
    return Measured(
        _figure(condition, rates[0]),
        rates[0],
        _mildest(condition, rates),
        label,
        f" in the last {duration(window_s)}",
        {"per_s": rates[0] / condition.per_s, "window_s": window_s},
    )


def _per_s(condition: Condition, known: Sequence[tuple[float, float]]) -> float:
    """Growth a second; 0 where a gauge goes up and down without going anywhere. NaN for fewer than three values."""
    if len(known) < 3:
        return math.nan
    if condition.of.kind is Kind.COUNTER:
        return _risen(known) / (known[-1][0] - known[0][0])
    times_s, values = blocks([t for t, _ in known], [value for _, value in known], _MOST, median)
    fitted = line([t - times_s[0] for t in times_s], values)
    if fitted is None or abs(fitted.z) < _SURE_Z:
        return 0.0
    return fitted.slope.per_s
