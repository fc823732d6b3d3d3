"""The heap over time: what is allocated, what lives, what the system gave."""

from __future__ import annotations

import math
from collections.abc import Sequence

from textual.content import Content

from memdash.analysis.resample import Column
from memdash.model.capability import Capability
from memdash.model.series import watched_s
from memdash.model.snapshot import Snapshot
from memdash.tables.axis import clock_ticks, padded, round_values, time_ticks
from memdash.tables.heap_chart import HeapChart, heap_chart
from memdash.ui.panes.pane import Pane
from memdash.ui.travel import Outlook, flag_of
from memdash.ui.widgets.chart import ChartView, Plot, PlotLine
from memdash.units import byte_size, byte_tick, span

__all__ = ["HeapPane"]

SPANS_S = {60.0: 15.0, 300.0: 60.0, 900.0: 180.0, 3600.0: 720.0, 21_600.0: 3600.0, 86_400.0: 14_400.0}
"""Spans to choose from, and the time between two labels below them, which is twice that on a narrow chart."""
_USUAL = 1
_WIDE_DOTS = 90
_LOOKS = {
    "HeapAlloc": ("HeapAlloc", "heap-alloc", "*"),
    "gc.live_after_gc_bytes": ("live", "heap-live", "_"),
    "system.rss_bytes": ("RSS", "rss", "."),
    "Sys": ("Sys", "sys", "-"),
}
"""Short name, token of the theme, and sign in ASCII, by metric."""
_UNSEEN_CELLS = 60
"""Of a chart that is not to be seen: a step through time is as long as on a small screen."""

_SHORT_S = 55.0
"""A watch younger than this starts with the shortest span: five minutes would be an empty chart."""

_REDRAW_EVERY_S = 2.0
"""A drawing costs as much as all the other panes together: a short span does not draw it at every sample."""


class HeapPane(ChartView, Pane):
    """A chart that is drawn again only when time has moved on by one cell, or something was asked for."""

    key = "heap"
    title = "Heap"
    capability = Capability.MEMSTATS

    def __init__(self) -> None:
        super().__init__(id=self.key)
        self._zoom = _USUAL
        self._zoomed = False
        self._drawn_as: object = None
        self._outlook: Outlook | None = None

    def caption(self, snapshot: Snapshot) -> str:
        """What span is shown."""
        del snapshot
        return f"Heap · {span(self.span_s)}" if self._is_past else f"Heap · last {span(self.span_s)}"

    @property
    def remark(self) -> Content | str:
        """Why it is old, or when it was read; the lines' names from top to bottom, when the chart has no room."""
        if self._late or self.names_lines or self._plot is None:
            return self._late or self._read
        falling = sorted(self._plot.lines, key=lambda line: -_end(line.columns))
        names = [(f"{self.glyphs.text('▬')} {line.short}", f"${line.look}") for line in falling]
        parts = [Content.styled(name, look) for name, look in names]
        return Content("  ").join([Content(self._read), *parts] if self._read else parts)

    @property
    def _is_past(self) -> bool:
        return self._outlook is not None and not self._outlook.is_now

    @property
    def span_s(self) -> float:
        """How much time it shows."""
        return tuple(SPANS_S)[self._zoom]

    @property
    def cell_s(self) -> float:
        """How much time one of its cells stands for."""
        return self.span_s / (self.cells[0] or _UNSEEN_CELLS)

    def look(self, outlook: Outlook) -> None:
        """Show this time from now on."""
        self._outlook = outlook

    def mono_s_at(self, share: float) -> float | None:
        """The moment at a share of the way from the left end to the right (monotonic); None before it shows any."""
        return None if self._outlook is None else self._outlook.timeline.until.mono_s - (1 - share) * self.span_s

    def zoom(self, step: int) -> None:
        """A longer (1), a shorter (-1) or the usual (0) span."""
        self._zoomed = True
        self._zoom = min(max(self._zoom + step, 0), len(SPANS_S) - 1) if step else _USUAL

    def show(self, snapshot: Snapshot) -> None:
        """Draw if the chart would move on by a cell, or looks different for another reason."""
        super().show(snapshot)
        if not self._zoomed:
            self._zoom = _USUAL if watched_s(snapshot.history) > _SHORT_S else 0
        outlook, span_s, across = self._outlook, self.span_s, self.dots_across
        if outlook is None or not across:
            return
        step_s = span_s / self.cells[0]
        drawn_s = step_s if self._is_past else max(step_s, _REDRAW_EVERY_S)
        cursor = None if outlook.cursor_s is None else math.floor(outlook.cursor_s / step_s)
        end = math.floor(outlook.timeline.until.mono_s / drawn_s)
        wish = (end, cursor, span_s, self.inner, snapshot.state, len(outlook.stops))
        if wish != self._drawn_as:
            self._drawn_as = wish
            chart = heap_chart(outlook.timeline, span_s, across)
            self.draw(_plot(chart, outlook, self.cells[1], _why_empty(snapshot)))


def _why_empty(snapshot: Snapshot) -> str:
    """What to say as long as no line can be drawn."""
    why = snapshot.missing.get(Capability.SYSTEM)
    return why.words if why is not None else "waiting for the first figures"


def _plot(chart: HeapChart, outlook: Outlook, rows: int, empty: str) -> Plot:
    begin_s, dot_s = chart.end_s - chart.span_s, chart.span_s / chart.width
    cursor = None if outlook.cursor_s is None else _within(chart, outlook.cursor_s)
    lines = [
        PlotLine(line.label, *_LOOKS[line.key], line.columns, byte_size(_value(line.columns, cursor)))
        for line in chart.lines
        if line.known
    ]
    flags = [
        (math.floor((at_s - begin_s) / dot_s), *flag_of(finding))
        for at_s, finding in outlook.stops
        if begin_s <= at_s < chart.end_s
    ]
    low, high = padded(chart.low_bytes, chart.high_bytes)
    step_s = SPANS_S[chart.span_s] * (1 if chart.width >= _WIDE_DOTS else 2)
    return Plot(
        lines=lines,
        marks=chart.gc_columns,
        low=low,
        high=high,
        x_ticks=time_ticks(chart.span_s, step_s, chart.width)
        if outlook.is_now
        else clock_ticks(outlook.wall_s(begin_s), chart.span_s, step_s, chart.width),
        y_ticks=[(value, byte_tick(value)) for value in round_values(low, high, max(rows // 3, 2), 1024.0)],
        empty="" if lines else empty,
        flags=flags,
        cursor=cursor,
    )


def _within(chart: HeapChart, at_s: float) -> int:
    column = math.floor((at_s - chart.end_s + chart.span_s) / chart.span_s * chart.width)
    return min(max(column, 0), chart.width - 1)


def _value(columns: Sequence[Column], cursor: int | None) -> float:
    """The value at the cursor, or the newest one."""
    at = math.nan if cursor is None else columns[cursor].last
    return _end(columns) if math.isnan(at) else at


def _end(columns: Sequence[Column]) -> float:
    """The newest value; there is one."""
    return next(column.last for column in reversed(columns) if not math.isnan(column.last))
