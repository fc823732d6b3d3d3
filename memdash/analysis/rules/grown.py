"""By how much something has grown in all: since the baseline, or within a time that moves along."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, chain, pairwise

from memdash.analysis.points import Basis, Points, newest_points
from memdash.analysis.rules.condition import RATE_OVER_S, Condition
from memdash.analysis.rules.measured import Measured, figure_of, mildest, mildest_look, risen, wider_s
from memdash.model.finding import NotYet
from memdash.model.metric import Kind
from memdash.model.series import Series, Timeline, watched_s
from memdash.units import duration, figure

__all__ = ["grown", "live_grown"]

_NEWEST = 3
"""Growth is what the mildest of so many have: a spike of one is none."""
_LATELY_S = 4.0


def grown(condition: Condition, history: Timeline) -> Measured | NotYet:
    """To the mildest of the newest three values from that at the baseline, or from the first in the window."""
    return _within(condition, history) if condition.over_s else _since_baseline(condition, history)


def live_grown(condition: Condition, history: Timeline) -> Measured | NotYet:
    """The same of the live heap after collections, or of what is resident where nothing else is known."""
    return _live_within(condition, history) if condition.over_s else _live_since_baseline(condition, history)


def _since_baseline(condition: Condition, history: Timeline) -> Measured | NotYet:
    """A few values of late are all it takes: those of three days would take a millisecond at each tick."""
    label, until_s = condition.of.label, history.until.mono_s
    start, counted_s = history.start(condition.metric), until_s - history.baseline.mono_s
    if start is None:
        return NotYet(f"{label} has not been seen twice")
    for lately_s in wider_s(_LATELY_S):
        span_s = min(condition.for_s + lately_s, counted_s)
        series = history.series(condition.metric, span_s)
        if len(series) and math.isnan(series.last[-1]):
            return NotYet(f"{label} is not known")
        known = series.known
        if len(known) >= _NEWEST or span_s >= counted_s:
            break
    if len(known) < 2:
        return NotYet(f"{label} has not been seen twice")
    if watched_s(history) < condition.for_s - series.spacing_s:
        return NotYet(f"{label} has not been watched for {duration(condition.for_s)}")
    sided, first = _sided(condition, series), bisect_left(series.seen_s, until_s - condition.for_s)
    if condition.of.kind is Kind.COUNTER:
        newest = known[-1][1] + start.lost - start.value
        earlier = [newest - risen([point for point in known if point[0] >= until_s - condition.for_s])]
    else:
        newest = mildest(condition, [value for value in sided if not math.isnan(value)][-_NEWEST:]) - start.value
        earlier = [value - start.value for value in sided[first:]]
    if not condition.for_s:
        deciding = newest
    elif until_s - series.times_s[0] < condition.for_s - series.spacing_s or any(map(math.isnan, sided[first:])):
        deciding = math.nan  # a baseline or a source so new, or a gap, breaks what has held
    else:
        deciding = mildest(condition, [newest, *earlier])
    return _measured(condition, label, start.value, newest, deciding, counted_s)


def _sided(condition: Condition, series: Series) -> Sequence[float]:
    """The side of the buckets that is furthest from breaking it."""
    return series.low if condition.op.is_upper else series.high


def _within(condition: Condition, history: Timeline) -> Measured | NotYet:
    """In a window that has ended at each look."""
    label, over_s, for_s = condition.of.label, condition.over_s, condition.for_s
    series = history.series(condition.metric, over_s + for_s)
    known = series.known
    if len(known) < 2:
        return NotYet(f"{label} has not been seen twice")
    if math.isnan(series.last[-1]):
        return NotYet(f"{label} is not known")
    seen_s = series.seen_s[-1] - series.times_s[0]
    needed_s = for_s if condition.op.is_upper else over_s + for_s
    if seen_s < needed_s - series.spacing_s:
        return NotYet(f"{label} has not been watched for {duration(needed_s)}")
    times_s, sided = [time_s for time_s, _ in known], _sided(condition, series)
    mild = [value for value in sided if not math.isnan(value)]
    counted = list(accumulate((risen(step) for step in pairwise(known)), initial=0.0))

    def at(last: int) -> float:
        """By how much it had grown at one of the values in the window that ended with that; NaN for that one alone."""
        first = bisect_left(times_s, times_s[last] - over_s)
        if first == last:
            return math.nan
        if condition.of.kind is Kind.COUNTER:
            return counted[last] - counted[first]
        return mildest(condition, mild[max(first, last + 1 - _NEWEST) : last + 1]) - known[first][1]

    newest, before = at(len(known) - 1), known[bisect_left(times_s, times_s[-1] - over_s)][1]
    if math.isnan(newest):
        return NotYet(f"{label} has not been seen twice")
    since_s = times_s[-1] - for_s
    earlier = reversed(range(bisect_left(times_s, since_s), len(known) - 1))
    broken = for_s and any(map(math.isnan, sided[bisect_left(series.seen_s, since_s) :]))
    deciding = math.nan if broken else mildest_look(condition, chain([newest], map(at, earlier)))
    return _measured(condition, label, before, newest, deciding, min(seen_s, over_s))


def _live_since_baseline(condition: Condition, history: Timeline) -> Measured | NotYet:
    until_s, for_s = history.until.mono_s, condition.for_s
    counted_s = until_s - history.baseline.mono_s
    _, seen = newest_points(history, wider_s(min(counted_s, RATE_OVER_S) + for_s), _NEWEST)
    seen = seen.since(history.baseline.mono_s)
    before = _resting(history, seen.basis)
    if len(seen) < 2 or before is None:
        return NotYet(f"{seen.basis.value} has not been seen twice")
    if watched_s(history) < for_s:
        return NotYet(f"{seen.basis.value} has not been watched for {duration(for_s)}")
    newest = mildest(condition, seen.values[-_NEWEST:]) - before
    deciding = newest
    if for_s:
        held = _standing(seen, until_s - for_s)
        deciding = mildest(condition, [newest, *(value - before for value in held)]) if held else math.nan
    return _measured(condition, seen.basis.value, before, newest, deciding, counted_s)


def _resting(history: Timeline, basis: Basis) -> float | None:
    """What was held at the baseline, of what the points are; what was swapped out then was held as well."""
    start = history.start(basis.metric)
    swap = history.start("system.swap_bytes") if basis is Basis.RESIDENT else None
    return None if start is None else start.value + (0.0 if swap is None else swap.value)


def _standing(seen: Points, since_s: float) -> Sequence[float]:
    """What has stood since a moment: the values from it on, and the last before, which held then; empty without one."""
    after = bisect_right(seen.times_s, since_s)
    return seen.values[after - 1 :] if after else ()


def _live_within(condition: Condition, history: Timeline) -> Measured | NotYet:
    over_s, for_s = condition.over_s, condition.for_s
    _, seen = newest_points(history, wider_s(min(over_s, RATE_OVER_S) + for_s), _NEWEST)
    series = history.series(seen.basis.metric, over_s + for_s)
    known = series.known
    seen = seen.since(history.until.mono_s - over_s - for_s)
    if len(seen) < 2 or not known:
        return NotYet(f"{seen.basis.value} has not been seen twice")
    seen_s = known[-1][0] - known[0][0]
    if seen_s < for_s - series.spacing_s:
        return NotYet(f"{seen.basis.value} has not been watched for {duration(for_s)}")
    times_s = [time_s for time_s, _ in known]

    def at(end_s: float) -> tuple[float, float]:
        """The first value of the window, and by how much there was more at its end; NaN where that is not known."""
        first, values = bisect_left(times_s, end_s - over_s), seen.between(end_s - over_s, end_s).values
        if first >= len(known) or len(values) < 2:
            return math.nan, math.nan
        return known[first][1], mildest(condition, values[-_NEWEST:]) - known[first][1]

    until_s = history.until.mono_s
    earlier_s = [*reversed(seen.since(until_s - for_s).times_s), until_s - for_s] if for_s else []
    before, newest = at(until_s)
    if math.isnan(newest):
        return NotYet(f"{seen.basis.value} has not been seen twice")
    deciding = mildest_look(condition, chain([newest], (at(end_s)[1] for end_s in earlier_s)))
    return _measured(condition, seen.basis.value, before, newest, deciding, min(seen_s, over_s))


def _measured(
    condition: Condition, what: str, before: float, newest: float, deciding: float, window_s: float
) -> Measured:
    was, is_now = (figure(value, condition.of.unit) for value in (before, before + newest))
    return Measured(
        figure_of(condition, newest),
        newest,
        deciding,
        f"{condition.of.label} growth",
        f": {what} was {was} and is {is_now}",
        {"before": before, "value": before + newest, "window_s": window_s},
    )
