"""The course of the points: since when they follow one line, how steep it is, how sure that is, and how it bends."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from memdash.analysis.cuts import FEWEST, change_at
from memdash.analysis.points import Points
from memdash.analysis.slopes import Line, line
from memdash.median import median

__all__ = ["Earlier", "Trend", "blocks", "fall", "spread", "trend"]

_FINEST = 64
_MOST = 320
_COARSER = (40, 20, 10)
_STEPS = 8
_MOST_CUTS = 3
_PICKS: tuple[Callable[[Sequence[float]], float], ...] = (min, median)


@dataclass(frozen=True, slots=True)
class Earlier:
    """The stretch before the points took another course; ``drop_bytes`` is what was given back then."""

    slope_per_s: float
    window_s: float
    drop_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One stretch of points and the line through them, from its first second on.

    The line goes through what each of some blocks of time held at least, or usually: whichever goes up the calmest, so
    that load and batches, which come and go, are left out; ``fine`` goes through the points as they are, at most 64
    medians of them. ``growth_bytes`` is what the line rises in ``window_s`` and ``fall_bytes`` the largest fall of one
    block below one before it, ``newest_bytes`` the rise from the third quarter to the last. ``swing_bytes`` is the
    spread of the points themselves around the line. ``bend`` is the slope of the second half over that of the first,
    ``fine_bend`` the same of the fine line, ``bend_low`` the least it can be by their intervals, and ``bends`` whether
    those lie apart; ``jumps`` the share that the two largest of seven steps have in the growth, and ``load_growth`` by
    what part the allocation rate (or the use of the CPU) has risen, NaN where that is not known.
    """

    line: Line
    fine: Line
    points: int
    cycles: int
    window_s: float
    level_bytes: float
    growth_bytes: float
    fall_bytes: float
    newest_bytes: float
    swing_bytes: float
    bend: float
    fine_bend: float
    bend_low: float
    bends: bool
    jumps: float
    load_growth: float
    earlier: Earlier | None


def trend(points: Points, cuts: int = _MOST_CUTS) -> Trend | None:
    """That of the newest stretch of one course; None for too few points. 2 ms for 900 points.

    Where the course has changed more than twofold, or something was given back, what came before is cut off.
    """
    if len(points) < FEWEST:
        return None
    times_s, floors = blocks(points.times_s, points.values, _FINEST, min)
    at, half = change_at(times_s, floors), len(floors) // 2
    if at is None and (later := change_at(times_s[half:], floors[half:])) is not None:
        at = half + later  # one that three lines would show
    if at is not None:
        before, after = line(times_s[:at], floors[:at]), line(times_s[at:], floors[at:])
        if before is not None and after is not None and not _goes_on(before, after, times_s, at):
            window_s = times_s[at] - times_s[0]
            earlier = Earlier(before.slope.per_s, window_s, before.at(times_s[at]) - after.at(times_s[at]))
            rest = points.since(times_s[at])
            deeper = trend(rest, cuts - 1) if cuts and len(rest) >= 2 * FEWEST else None
            return deeper if deeper is not None and deeper.earlier is not None else _stretch(rest, earlier)
    return _stretch(points, None)


def _goes_on(before: Line, after: Line, times_s: Sequence[float], at: int) -> bool:
    """Whether growth has only become a little slower or faster."""
    drop = before.at(times_s[at]) - after.at(times_s[at])
    risen = before.slope.per_s * (times_s[at] - times_s[0])
    return 0.5 * before.slope.per_s <= after.slope.per_s <= 2 * before.slope.per_s and abs(drop) < 0.5 * risen


def _stretch(points: Points, earlier: Earlier | None) -> Trend | None:
    if len(points) < FEWEST:
        return None
    times_s, values = blocks(points.times_s, points.values, _MOST, min)
    window_s, begin_s = points.window_s, points.times_s[0]
    seconds = [time_s - begin_s for time_s in times_s]
    fits = _fits(seconds, values)
    finest = blocks(points.times_s, points.values, _FINEST, median)
    fine = line(*finest)
    if not fits or fine is None:
        return None
    fitted, at_s, of = min(fits, key=lambda fit: _unrest(fit[0].slope.per_s * window_s, fit[2]))
    bend, fine_bend = _bend(at_s, of), _bend(*finest)
    third = [value for time_s, value in zip(at_s, of, strict=True) if 0.5 <= time_s / window_s < 0.75]
    last = [value for time_s, value in zip(at_s, of, strict=True) if time_s >= 0.75 * window_s]
    growth = fitted.slope.per_s * window_s
    return Trend(
        line=fitted,
        fine=fine,
        points=len(points),
        cycles=points.cycles,
        window_s=window_s,
        level_bytes=max(fitted.at(window_s), 1.0),
        growth_bytes=growth,
        fall_bytes=fall(of),
        newest_bytes=median(last) - median(third) if last and third else growth / 4,
        swing_bytes=spread([value - fitted.at(time_s) for time_s, value in zip(seconds, values, strict=True)]),
        bend=bend.factor,
        fine_bend=fine_bend.factor,
        bend_low=max(bend.low, fine_bend.low),
        bends=bend.is_sure,
        jumps=min(_jumps(blocks(seconds, values, _STEPS, pick)[1]) for pick in _PICKS),
        load_growth=0.0 if points.is_at_like_load else _load_growth(points.loads),
        earlier=earlier,
    )


class _Bend(NamedTuple):
    """The slope of the second half over that of the first, and the least it can be; ``is_sure`` where it falls."""

    factor: float = 1.0
    low: float = 0.0
    is_sure: bool = False


def _bend(seconds: Sequence[float], values: Sequence[float]) -> _Bend:
    half = len(values) // 2
    early, late = line(seconds[:half], values[:half]), line(seconds[half:], values[half:])
    if early is None or late is None or early.slope.per_s <= 0:
        return _Bend()
    return _Bend(
        late.slope.per_s / early.slope.per_s,
        max(late.slope.low_per_s, 0.0) / early.slope.high_per_s,
        late.slope.high_per_s < early.slope.low_per_s,
    )


def _fits(seconds: Sequence[float], values: Sequence[float]) -> list[tuple[Line, list[float], list[float]]]:
    """Lines through blocks of several widths."""
    fits = []
    for number in _COARSER:
        for pick in _PICKS:
            at_s, of = blocks(seconds, values, number, pick)
            if (fitted := line(at_s, of)) is not None:
                fits.append((fitted, at_s, of))
            if number >= len(values):  # each point is a block: there is nothing to pick
                break
    return fits


def _unrest(growth: float, values: Sequence[float]) -> float:
    return fall(values) / growth if growth > 0 else float("inf")


def blocks(
    times_s: Sequence[float], values: Sequence[float], number: int, pick: Callable[[Sequence[float]], float]
) -> tuple[list[float], list[float]]:
    """``pick`` of the values in each of so many equal spans, in the middle of its points; all when they are fewer."""
    if len(values) <= number:
        return list(times_s), list(values)
    begin_s, per_s = times_s[0], number / ((times_s[-1] - times_s[0]) * (1 + 1e-9))
    places = [int((time_s - begin_s) * per_s) for time_s in times_s]
    ends = [index for index in range(1, len(places)) if places[index] != places[index - 1]]
    spans = list(pairwise([0, *ends, len(places)]))
    return [(times_s[a] + times_s[b - 1]) / 2 for a, b in spans], [pick(values[a:b]) for a, b in spans]


def fall(values: Sequence[float]) -> float:
    """The largest from any value to a later one; 0 for values that never fall."""
    highest, largest = values[0], 0.0
    for value in values:
        if value > highest:
            highest = value
        elif highest - value > largest:
            largest = highest - value
    return largest


def spread(values: Sequence[float]) -> float:
    """What nine of ten values lie within."""
    ranked = sorted(values)
    return ranked[19 * (len(ranked) - 1) // 20] - ranked[(len(ranked) - 1) // 20]


def _jumps(values: Sequence[float]) -> float:
    steps = sorted(later - earlier for earlier, later in pairwise(values))
    growth = values[-1] - values[0]
    return sum(steps[-2:]) / growth if growth > 0 and len(steps) > 4 else 0.0


def _load_growth(loads: Sequence[float]) -> float:
    known = [load for load in loads if load == load]  # NaN is unlike itself
    third = len(known) // 3
    if not third or (first := median(known[:third])) <= 0:
        return math.nan
    return median(known[-third:]) / first - 1
