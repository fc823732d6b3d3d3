"""How far the axes of a chart reach, and the round values and times to write beside them."""

from __future__ import annotations

import math

from memdash.units import clock_tick, span, zone_offset_s

__all__ = ["clock_ticks", "padded", "round_times", "round_values", "step_of", "time_ticks"]

_STEPS_S = (
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
    3600.0, 7200.0, 14_400.0, 21_600.0, 43_200.0, 86_400.0,
)  # fmt: skip
_LABEL_CELLS = 12
_OF_A_DAY_S = 3600.0
"""Labels of a longer step would name the day too: the line of time above does."""
_PADDING = 0.06
"""Share of the range left free above and below."""


def padded(low: float, high: float) -> tuple[float, float]:
    """The range with some room above and below, from 0 at least; flat lines get some too."""
    room = _PADDING * max(high - low, 0.05 * high, 1.0)
    return max(low - room, 0.0), high + room


def round_values(low: float, high: float, count: int, base: float) -> list[float]:
    """Values worth a label: round in the power of ``base`` they are shown in, at most ``count`` of them."""
    least = (high - low) / count
    unit = base ** max(int(math.log(max(high, 1.0), base)), 0)
    step = unit * 10 ** math.floor(math.log10(max(least / unit, 1e-9)))
    step = next((step * factor for factor in (1, 2, 5, 10) if step * factor >= least), 10 * step)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]


def step_of(span_s: float, cells: int) -> float:
    """The round time between two labels below a span, as close as ``cells`` have room for."""
    most = max(cells // _LABEL_CELLS, 1)
    return next((step_s for step_s in _STEPS_S if span_s / step_s <= most), span_s)


def round_times(begin_s: float, span_s: float, step_s: float) -> list[float]:
    """The moments of a span whose local time of the day is a multiple of ``step_s``; all are wall time."""
    ahead_s = zone_offset_s(begin_s)
    first, last = math.ceil((begin_s + ahead_s) / step_s), math.floor((begin_s + ahead_s + span_s) / step_s)
    return [number * step_s - ahead_s for number in range(first, last + 1)]


def clock_ticks(begin_s: float, span_s: float, step_s: float, width: int) -> list[tuple[int, str]]:
    """The times of the day that are multiples of ``step_s``, by column of ``width``; ``begin_s`` is wall time."""
    if width < 2 or span_s <= 0:
        return []
    return [
        (round((width - 1) * (at_s - begin_s) / span_s), clock_tick(at_s, min(step_s, _OF_A_DAY_S)))
        for at_s in round_times(begin_s, span_s, step_s)
    ]


def time_ticks(span_s: float, step_s: float, width: int) -> list[tuple[int, str]]:
    """The times before now that are multiples of ``step_s``, by column of ``width``."""
    if width < 2 or span_s <= 0:
        return []
    last = width - 1
    ages_s = [number * step_s for number in range(int(span_s / step_s), 0, -1)]
    return [*((round(last * (1 - age_s / span_s)), f"-{span(age_s)}") for age_s in ages_s), (last, "now")]
