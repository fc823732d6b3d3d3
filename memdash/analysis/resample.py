"""A series cut to the columns of a chart, so that no spike is lost and no gap is bridged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from memdash.model.series import Series

__all__ = ["Column", "beside", "columns", "newest"]


class Column(NamedTuple):
    """What one column of a chart saw: lowest, highest and newest value. All NaN where nothing is known."""

    low: float
    high: float
    last: float


_EMPTY = Column(math.nan, math.nan, math.nan)


def columns(series: Series, end_s: float, span_s: float, width: int) -> list[Column]:
    """Cut the ``span_s`` seconds before ``end_s`` into ``width`` columns, oldest first.

    When columns are narrower than the buckets, a bucket fills all the columns up to the next one, but only over its
    usual distance: what is missing longer stays empty.
    """
    if width <= 0 or span_s <= 0:
        return []
    step_s = span_s / width
    start_s = end_s - span_s
    spacing_s = series.spacing_s
    reach = math.ceil(1.5 * spacing_s / step_s) if spacing_s > step_s else 1
    lows, highs, lasts = [math.nan] * width, [math.nan] * width, [math.nan] * width
    held = -1
    for time_s, low, high, last in zip(series.times_s, series.low, series.high, series.last, strict=True):
        if last != last:  # NaN
            continue
        first = math.floor((time_s - start_s) / step_s)
        if first == width:  # the newest sample itself stands at the right edge
            first = width - 1
        if first == held >= 0:  # what began just before the first column is in none
            lasts[first] = last
            if low < lows[first]:
                lows[first] = low
            if high > highs[first]:
                highs[first] = high
            continue
        for index in range(max(first, 0), min(first + reach, width)):
            lows[index], highs[index], lasts[index] = low, high, last
        held = first if 0 <= first < width else -1
    return list(map(Column, lows, highs, lasts))


def newest(series: Series, end_s: float, span_s: float, width: int) -> tuple[float, ...]:
    """The newest value in each of ``width`` columns, as ``columns`` cuts them; for sparklines, much cheaper."""
    start_s, per_s = end_s - span_s, width / span_s
    reach = math.ceil(1.5 * series.spacing_s * per_s) if series.spacing_s * per_s > 1 else 1
    cut = [math.nan] * width
    for time_s, value in zip(series.times_s, series.last, strict=True):
        if value != value or time_s < start_s:  # NaN, or too old
            continue
        first = int((time_s - start_s) * per_s)
        if reach == 1:
            cut[first if first < width else -1] = value
            continue
        for index in range(min(first, width - 1), min(first + reach, width)):
            cut[index] = value
    return tuple(cut)


def beside(one: Series, other: Series, values: Sequence[float]) -> Sequence[float]:
    """The ``values`` of ``other`` when ``one`` was seen, NaN where it was not.

    Of one watch two metrics have the same times, unless the recording that they come from is damaged.
    """
    if len(values) == len(one.seen_s):
        return values
    known = dict(zip(other.seen_s, values, strict=True))
    return [known.get(seen_s, math.nan) for seen_s in one.seen_s]
