"""A chart of lines over time, drawn by plotext. The only place that knows plotext.

plotext has one process-wide figure: it is cleared before each drawing and used on the screen's thread alone. A drawing
of 70×20 cells with four lines takes about 8 ms, half of it in connecting points, so points that a straight line passes
anyway are left out. Importing plotext takes 30 ms and happens after the first frame.
"""

from __future__ import annotations

import math
import re
import sys
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from textual.geometry import Offset
from textual.strip import Strip

from memdash.ui.lean import left_out
from memdash.ui.widgets.cut import cut
from memdash.ui.widgets.pointing import Pointable

if TYPE_CHECKING:
    from memdash.analysis.resample import Column

__all__ = ["ChartView", "Plot", "PlotLine"]

DOTS_ACROSS, DOTS_DOWN = 2, 4
"""Braille dots in a cell."""

_FRAME = 15
"""Palette number of axes and labels; lines are numbered from 1. Nobody sees these colours: they become theme looks."""

_RUN = re.compile(r"\x1b\[([0-9;]*)m|([^\x1b]+)")


@dataclass(frozen=True, slots=True)
class PlotLine:
    """One line: what each dot column saw, and the look it is drawn in. ``mark`` stands for it in ASCII."""

    label: str
    short: str
    look: str
    mark: str
    columns: Sequence[Column]
    value: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """All of a chart. ``marks`` are dot columns; ticks are (position, label): dot columns, and values from ``low``.

    ``flags`` stand on the axis, each with a sign and a look, ``cursor`` is the dot column of the moment that is shown.
    """

    lines: Sequence[PlotLine]
    marks: Sequence[int]
    low: float
    high: float
    x_ticks: Sequence[tuple[int, str]]
    y_ticks: Sequence[tuple[float, str]]
    empty: str = ""
    flags: Sequence[tuple[int, str, str]] = ()
    cursor: int | None = None


class ChartView(Pointable, can_focus=True):
    """Draws a Plot. ``dots_across`` says how many columns it should have."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - as Textual has it
        super().__init__(id=id)
        self._plot: Plot | None = None
        self._strips: list[Strip] = []
        self._ready = False

    @property
    def cells(self) -> tuple[int, int]:
        """Columns and rows of cells inside the axes."""
        return max(self.inner.width - _LABELS - 1 - self.legend_width, 0), max(self.inner.height - 2, 0)

    @property
    def dots_across(self) -> int:
        """Columns of dots inside the axes."""
        return self.cells[0] * (1 if self.glyphs.ascii else DOTS_ACROSS)

    @property
    def names_lines(self) -> bool:
        """Whether there is room to name the lines where they end."""
        return self.legend_width > 0

    @property
    def legend_width(self) -> int:
        """Cells right of the chart in which its lines are named; 0 where there is no room or no need."""
        width = self.inner.width
        return 0 if width < _LEGEND_FROM else _LEGEND if width < _VALUES_FROM else _LEGEND_WITH_VALUES

    def draw(self, plot: Plot) -> None:
        """Draw ``plot`` in place of what stands there."""
        self._plot = plot
        if plot.lines and not self._ready:
            self.call_after_refresh(self._get_ready)
        else:
            self.forget()
            self.refresh()

    def _get_ready(self) -> None:
        """Import plotext, now that there is a frame with figures to look at."""
        _figure()
        self._ready = True
        self.forget()
        self.refresh()

    def share_at(self, at: Offset, *, anywhere: bool) -> float | None:
        """What is to be pointed at lies between the axes, and on the lower one."""
        columns, rows = self.cells
        column = at.x - _LABELS - 1
        is_within = columns >= _NARROWEST and (anywhere or (0 <= column < columns and 0 <= at.y <= rows))
        return (column + 0.5) / columns if is_within else None

    def forget(self) -> None:
        """Draw anew when next painted."""
        self._strips = []

    def render_line(self, y: int) -> Strip:
        """A row of the drawing."""
        width = self.inner.width  # forgets what was drawn for another
        if not self._strips:
            self._strips = self._drawn()
        return self._strips[y] if y < len(self._strips) else Strip.blank(width, self.palette["plain"])

    def _drawn(self) -> list[Strip]:
        plot, (columns, rows) = self._plot, self.cells
        if plot is None or plot.empty or not self._ready or columns < _NARROWEST or rows < 3:
            line = self.line()
            if plot is not None:
                line.field(plot.empty, self.inner.width, "faint")
            return [line.strip(self.inner.width)]
        styles = {number: self.palette[line.look] for number, line in enumerate(plot.lines, start=1)}
        styles[_FRAME] = self.palette["axis"]
        texts = _rendered(plot, columns, rows, self.glyphs.ascii).split("\n")
        marked = sorted({mark // (self.dots_across // columns) for mark in plot.marks})
        across = self.dots_across // columns
        cursor = [] if plot.cursor is None else [plot.cursor // across]
        legend = self._legend(plot, rows)
        strips = []
        for y, text in enumerate(texts):
            segments = self._segments(text, styles)
            if len(marked) > columns * _MARKS_AT_MOST:
                if y == rows:
                    segments = self._with_marks(segments, marked, "─", "┴")
            elif y < rows:
                segments = self._with_marks(segments, marked, " \u2800", "┊")
            if y <= rows:
                segments = self._with_marks(segments, cursor, None, "│" if y < rows else "┷", "paused")
            if y == rows:
                for column, sign, look in plot.flags:
                    segments = self._with_marks(segments, [column // across], None, sign, look)
            segments += legend.get(y, [])
            strips.append(Strip(segments).adjust_cell_length(self.inner.width, self.palette["plain"]))
        return strips

    def _segments(self, text: str, styles: dict[int, Any]) -> list[Segment]:
        plain = self.palette["plain"]
        style, segments = plain, []
        for codes, words in _RUN.findall(text):
            if words:
                segments.append(Segment(self.glyphs.text(words), style))
            elif codes.startswith("38;5;"):
                style = styles.get(int(codes[5:]), plain)
            elif codes == "0":
                style = plain
        return segments

    def _with_marks(
        self, segments: list[Segment], marked: list[int], over: str | None, sign: str, look: str = "gc-mark"
    ) -> list[Segment]:
        """Draw ``sign`` in the marked columns (ascending) wherever nothing but ``over`` stands; None is anything."""
        if not marked:
            return segments
        over = None if over is None else self.glyphs.text(over)
        sign, style = self.glyphs.text(sign), self.palette[look]
        drawn: list[Segment] = []
        start = -(_LABELS + 1)
        for segment in segments:
            text, done = segment.text, 0
            for column in marked[bisect_left(marked, start) :]:
                at = column - start
                if at >= len(text):
                    break
                if over is None or text[at] in over:
                    if at > done:
                        drawn.append(Segment(text[done:at], segment.style))
                    drawn.append(Segment(sign, style))
                    done = at + 1
            if done < len(text):
                drawn.append(Segment(text[done:], segment.style) if done else segment)
            start += len(text)
        return drawn

    def _legend(self, plot: Plot, rows: int) -> dict[int, list[Segment]]:
        """Name and value of each line at the height where it ends, by row; neighbours make room for each other."""
        if not self.legend_width:
            return {}
        ends = []
        for line in plot.lines:
            last = next((c.last for c in reversed(line.columns) if not math.isnan(c.last)), None)
            if last is not None:
                share = (last - plot.low) / ((plot.high - plot.low) or 1.0)
                ends.append((min(max(rows - 1 - int(share * rows), 0), rows - 1), line))
        ends.sort(key=lambda end: end[0])
        taken = _spread([row for row, _ in ends], rows)
        room, with_values = self.legend_width - 1, self.legend_width == _LEGEND_WITH_VALUES
        return {
            row: [
                Segment(
                    " " + self.glyphs.text(cut(f"{line.label} {line.value}" if with_values else line.label, room)),
                    self.palette[line.look],
                )
            ]
            for row, (_, line) in zip(taken, ends, strict=True)
        }


_NARROWEST = 8
_LABELS = 8
"""Cells of the labels left of the axis: ``999.9 MiB`` does not occur, ticks are round."""
_LEGEND, _LEGEND_WITH_VALUES = 15, 25
_LEGEND_FROM, _VALUES_FROM = 56, 110
_MARKS_AT_MOST = 0.34
"""With more columns than this marked, uprights would be a hatching: the marks stand on the axis alone."""


def _spread(rows: list[int], height: int) -> list[int]:
    """Distinct rows as near as possible to the wished ones (sorted), within ``height``."""
    placed: list[int] = []
    for row in rows:
        placed.append(max(row, placed[-1] + 1) if placed else row)
    limit = height - 1
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - 1
    return placed


@lru_cache(maxsize=1)
def _figure() -> tuple[Any, Any]:
    """The plotext module and its figure.

    plotext 6.1 builds its manual and loads its own tests when imported: 70 of 100 ms and 4 of 8 MiB. Both are left out.
    So is OpenSSL, another 3 MiB: hashlib has its own hashes.
    """
    for unused, name in (("plotext._doc.doc", "docs"), ("plotext._tests.run", "test")):
        vars(sys.modules.setdefault(unused, ModuleType(unused))).setdefault(name, None)
    with left_out("_hashlib"):
        import plotext

    plotext.terminal.limit(False, False)  # else a figure is cut at the size of the real terminal
    return plotext, plotext.figure


def _rendered(plot: Plot, columns: int, rows: int, ascii_only: bool) -> str:
    """The drawing as plotext's string: ``rows`` lines, the axis, its labels."""
    plotext, figure = _figure()
    across, down = (1, 1) if ascii_only else (DOTS_ACROSS, DOTS_DOWN)
    figure.clear()
    figure.plot_size(columns + _LABELS + 1, rows + 2)
    figure.canvas("default")
    figure.axes(True, pixel=plotext.pixel(_FRAME))
    figure.axes(False, axis="x", side="upper")
    figure.axes(False, axis="y", side="right")
    scale = (plot.high - plot.low) or 1.0
    for number, line in reversed(list(enumerate(plot.lines, start=1))):
        marker = plotext.marker(line.mark if ascii_only else "braille", plotext.pixel(number))
        points, breaks = _points(line.columns, lambda value: (value - plot.low) / scale * rows * down)
        signal = figure.signal([x for x, _ in points], [y for _, y in points], marker=marker).lines()
        for index in breaks:
            signal.line(index, active=False)
        figure.draw(signal)
    frame = plotext.pixel(_FRAME)
    ticks = [x for x, _ in plot.x_ticks]
    labels = [label for _, label in plot.x_ticks]
    figure.ruler("x", "lower").lim(-0.5, columns * across - 0.5).alignment(lim="edge").ticks(ticks, labels).pixel(frame)
    heights = [(value - plot.low) / scale * rows * down for value, _ in plot.y_ticks]
    figure.ruler("y", "left").lim(-0.5, rows * down - 0.5).alignment(lim="edge").ticks(
        heights, [label.rjust(_LABELS) for _, label in plot.y_ticks]
    ).pixel(frame)
    drawing: str = figure.build().string()
    return drawing


def _points(columns: Sequence[Column], height: Callable[[float], float]) -> tuple[list[tuple[int, int]], list[int]]:
    """Points to connect, and the indices of those that begin anew after a gap.

    A column adds its newest value, and its highest or lowest when the line would miss it.
    """
    points: list[tuple[int, int]] = []
    breaks: list[int] = []
    run: list[tuple[int, int]] = []
    for x, (low, high, last) in enumerate(columns):
        if last != last:  # NaN
            if run:
                points += _straightened(run)
                breaks.append(len(points))
            run = []
            continue
        end = int(height(last))
        if low != high:
            before = run[-1][1] if run else end
            bottom, top = int(height(low)), int(height(high))
            if bottom < before and bottom < end:
                run.append((x, bottom))
            if top > before and top > end:
                run.append((x, top))
        run.append((x, end))
    if run:
        points += _straightened(run)
    return points, breaks


def _straightened(run: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """``run`` without the points that a straight line between their neighbours misses by less than a dot."""
    kept = [run[0]]
    (x0, y0), end = run[0], run[0]
    least, most = -math.inf, math.inf
    for point in run[1:]:
        x, y = point
        slope = (y - y0) / (x - x0) if x > x0 else math.inf
        if not least <= slope <= most or x == end[0]:
            if end is not kept[-1]:
                kept.append(end)
            x0, y0 = end
            least, most = -math.inf, math.inf
        if x > x0:
            least = max(least, (y - _NEAR - y0) / (x - x0))
            most = min(most, (y + _NEAR - y0) / (x - x0))
        end = point
    if end is not kept[-1]:
        kept.append(end)
    return kept


_NEAR = 0.7
"""Dots that a point may lie beside the line drawn in its place."""
