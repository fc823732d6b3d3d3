"""A course of values as one row of eight-step blocks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from memdash.ui.glyphs import UNICODE, Glyphs

__all__ = ["sparkline"]

_RANGE_AT_LEAST = 0.05
"""Share of the largest value that the scale spans at least: a heap that wavers by one percent looks flat."""


def sparkline(values: Sequence[float], width: int, glyphs: Glyphs = UNICODE) -> str:
    """``values``, oldest first, in exactly ``width`` cells; gaps (NaN) are blank, the newest stands right.

    More values than cells are joined by their largest, so that no spike is lost. A course without any change is a
    level line.
    """
    shown = _squeezed(values, width)
    known = [value for value in shown if not math.isnan(value)]
    if not known:
        return " " * width
    low, high = min(known), max(known)
    if low == high:
        drawn = "".join(" " if math.isnan(value) else glyphs.level for value in shown)
        return drawn.rjust(width)
    span = max(high - low, _RANGE_AT_LEAST * max(abs(high), abs(low)))
    base = (low + high - span) / 2
    top = len(glyphs.steps) - 1
    drawn = "".join(
        " " if math.isnan(value) else glyphs.steps[min(round((value - base) / span * top), top)] for value in shown
    )
    return drawn.rjust(width)


def _squeezed(values: Sequence[float], width: int) -> Sequence[float]:
    count = len(values)
    if count <= width:
        return values
    buckets = (values[i * count // width : (i + 1) * count // width] for i in range(width))
    return [max((v for v in bucket if not math.isnan(v)), default=math.nan) for bucket in buckets]
