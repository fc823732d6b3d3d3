"""Lines over time as SVG in a page: looks come from its style sheet, so that they suit light, dark and paper.

Our own, since it is little: what draws charts in Python makes pictures of megabytes that need scripts or fonts, has
colours of its own inside, or takes longer to import than a whole report takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from memdash.analysis.resample import Column
from memdash.exports.html_table import safe
from memdash.tables.axis import round_times, round_values, step_of
from memdash.units import clock_tick, clock_time

__all__ = ["ChartBound", "ChartLine", "SvgChart", "svg_chart"]

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 960, 74, 120, 14, 26
_ACROSS = _WIDTH - _LEFT - _RIGHT
_LABEL_APART = 14
_LABEL_CELLS = 96
"""The axis of times is as wide as so many characters."""

_SLICES = 60
"""So many parts of the chart say their figures when a pointer rests on them."""


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One metric cut to columns, oldest first; ``look`` is its class in the style sheet."""

    label: str
    look: str
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True)
class ChartBound:
    """A horizontal line at ``value``, such as a limit."""

    label: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SvgChart:
    """All of a chart. Columns share the time from ``start_s`` to ``end_s`` (Unix time); ``marks`` are columns.

    ``figure`` writes a value, ``tick`` one beside the axis, where round values are round in powers of ``base``: whole
    ones alone where these are ``counts``, for between two goroutines there is nothing.
    """

    title: str
    lines: Sequence[ChartLine]
    start_s: float
    end_s: float
    figure: Callable[[float], str]
    tick: Callable[[float], str]
    base: float
    height: int
    marks: Sequence[int] = ()
    bounds: Sequence[ChartBound] = ()
    counts: bool = False


@dataclass(frozen=True, slots=True)
class _Scale:
    """From columns and values to places in the picture."""

    width: int
    low: float
    high: float
    height: int

    def x(self, column: float) -> float:
        return _LEFT + _ACROSS * column / max(self.width, 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _TOP + (self.height - _TOP - _BOTTOM) * (1 - share)


def svg_chart(chart: SvgChart) -> str:
    """The picture as an ``svg`` element; empty when there is nothing to draw."""
    lines = [line for line in chart.lines if any(not math.isnan(column.last) for column in line.columns)]
    if not lines:
        return ""
    seen = [v for line in lines for c in line.columns for v in (c.low, c.high) if not math.isnan(v)]
    seen += [bound.value for bound in chart.bounds]
    low, high = min(seen), max(seen)
    low = 0.0 if low < high / 2 else max(low - 0.1 * max(high - low, 0.05 * high), 0.0)
    scale = _Scale(len(lines[0].columns), low, high + 0.06 * max(high - low, 1.0), chart.height)
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {chart.height}" role="img" aria-label="{safe(chart.title)}">',
        *_axes(chart, scale),
        *(_mark(scale, mark, chart.height) for mark in chart.marks),
        *_bounds(chart, scale),
        *(f'<path class="line {line.look}" d="{_path(line.columns, scale)}"/>' for line in reversed(lines)),
        *_names(lines, scale),
        *_hovers(chart, lines, scale),
        "</svg>",
    ]
    return "\n".join(parts)


def _axes(chart: SvgChart, scale: _Scale) -> Iterator[str]:
    right, bottom = _WIDTH - _RIGHT, chart.height - _BOTTOM
    for value in round_values(scale.low, scale.high, chart.height // 40, chart.base):
        if chart.counts and not math.isclose(value, round(value)):
            continue
        y = scale.y(value)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>'
        yield f'<text class="y" x="{_LEFT - 8}" y="{y + 4:.1f}">{safe(chart.tick(value))}</text>'
    span_s = chart.end_s - chart.start_s
    step_s = step_of(span_s, _LABEL_CELLS)
    for at_s in round_times(chart.start_s, span_s, step_s):
        x = _LEFT + _ACROSS * (at_s - chart.start_s) / span_s
        yield f'<path class="tick" d="M{x:.1f} {bottom}v5"/>'
        yield f'<text class="x" x="{x:.1f}" y="{bottom + 19}">{clock_tick(at_s, step_s)}</text>'
    yield f'<path class="axis" d="M{_LEFT} {bottom}H{right}"/>'


def _mark(scale: _Scale, column: int, height: int) -> str:
    return f'<path class="mark" d="M{scale.x(column + 0.5):.1f} {height - _BOTTOM}v-7"/>'


def _bounds(chart: SvgChart, scale: _Scale) -> Iterator[str]:
    for bound in chart.bounds:
        y = scale.y(bound.value)
        words = f"{bound.label} {chart.figure(bound.value)}"
        yield f'<path class="bound" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
        yield f'<text class="bound" x="{_LEFT + 6}" y="{y - 5:.1f}">{safe(words)}</text>'


def _path(columns: Sequence[Column], scale: _Scale) -> str:
    """Through the newest value of each column, by way of its highest and lowest; gaps stay gaps.

    Points that a straight line passes anyway are left out.
    """
    drawn: list[str] = []
    pen: list[tuple[float, float]] = []

    def lift() -> None:
        if pen:
            rest = "".join(f"L{x:.1f} {y:.1f}" for x, y in pen[1:]) or "h1.5"
            drawn.append(f"M{pen[0][0]:.1f} {pen[0][1]:.1f}{rest}")
            pen.clear()

    for number, column in enumerate(columns):
        if math.isnan(column.last):
            lift()
            continue
        x, values = scale.x(number + 0.5), (column.high, column.low, column.last)
        if number and column == columns[number - 1]:  # one reading, wider than a column
            values = (column.last,) * 3
        for y in dict.fromkeys(round(scale.y(value), 1) for value in values):
            if len(pen) > 1 and pen[-1][1] == pen[-2][1] == y:
                pen[-1] = (x, y)
            else:
                pen.append((x, y))
    lift()
    return "".join(drawn)


def _last(line: ChartLine) -> float:
    return next(column.last for column in reversed(line.columns) if not math.isnan(column.last))


def _names(lines: Sequence[ChartLine], scale: _Scale) -> Iterator[str]:
    """Each line's name where it ends, moved apart so that none covers another: down first, and up from the bottom."""
    ranked = sorted(lines, key=_last, reverse=True)
    places = [scale.y(_last(line)) + 4 for line in ranked]
    for number in range(1, len(places)):
        places[number] = max(places[number], places[number - 1] + _LABEL_APART)
    lowest = float(scale.height - _BOTTOM)
    for number in range(len(places) - 1, -1, -1):
        places[number] = min(places[number], lowest)
        lowest = places[number] - _LABEL_APART
    for line, y in zip(ranked, places, strict=True):
        yield f'<text class="name {line.look}" x="{_WIDTH - _RIGHT + 8}" y="{y:.1f}">{safe(line.label)}</text>'


def _hovers(chart: SvgChart, lines: Sequence[ChartLine], scale: _Scale) -> Iterator[str]:
    """Invisible slices with a title each: when, and what every line was at last in it."""
    width = len(lines[0].columns)
    slices = min(_SLICES, width)
    for number in range(slices):
        first, after = number * width // slices, (number + 1) * width // slices
        at_s = chart.start_s + (chart.end_s - chart.start_s) * after / width
        words = [clock_time(at_s)]
        for line in lines:
            known = [c.last for c in line.columns[first:after] if not math.isnan(c.last)]
            words += [f"{line.label} {chart.figure(known[-1])}"] if known else []
        if len(words) > 1:
            left, right, title = scale.x(first), scale.x(after), "\n".join(map(safe, words))
            yield (
                f'<rect class="hover" x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" '
                f'height="{chart.height - _TOP - _BOTTOM}"><title>{title}</title></rect>'
            )
