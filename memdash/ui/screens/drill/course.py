"""What a row held over the watch, as a chart."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.analysis.resample import columns
from memdash.model.capability import Capability
from memdash.model.series import Series
from memdash.model.snapshot import Snapshot
from memdash.ui.widgets.axis import round_values, span_words, time_ticks
from memdash.ui.widgets.chart import ChartView, Plot, PlotLine
from memdash.units import Unit, byte_tick, count, figure

__all__ = ["Course", "course_of", "draw_course"]

_PADDING = 0.06
"""Share of the range left free above and below."""
_ROWS_A_LABEL = 3


@dataclass(frozen=True, slots=True)
class Course:
    """A row's course up to ``until_s`` on the monotonic clock."""

    series: Series
    until_s: float
    unit: Unit
    name: str

    @property
    def span_s(self) -> float:
        """From the first reading that knows the row until now."""
        known = self.series.known
        return self.until_s - known[0][0] if known else 0.0

    @property
    def title(self) -> str:
        """What is shown, and over which time."""
        return f"{self.name} · over {span_words(self.span_s)}" if len(self.series.known) > 1 else self.name

    @property
    def bounds(self) -> str:
        """Least and most, in figures."""
        low = [value for value in self.series.low if value == value]
        high = [value for value in self.series.high if value == value]
        if not low:
            return ""
        return f"least {figure(min(low), self.unit)} · most {figure(max(high), self.unit)}"


def course_of(snapshot: Snapshot, capability: Capability, key: object, unit: Unit, name: str) -> Course:
    """The course of a row as of this moment; empty when nothing followed it."""
    followed = snapshot.courses.get(capability)
    series = followed.of(key) if followed is not None else Series((), (), (), (), (), 1.0)
    return Course(series, snapshot.at.mono_s, unit, name)


def draw_course(chart: ChartView, course: Course) -> None:
    """Draw it."""
    span_s, width = course.span_s, chart.dots_across
    known = course.series.known
    if len(known) < 2 or not width:
        why = "it has been read once so far" if known else "only the largest are followed from reading to reading"
        chart.draw(Plot((), (), 0.0, 1.0, (), (), why))
        return
    cut = columns(course.series, course.until_s, span_s, width)
    low = min(column.low for column in cut if column.low == column.low)
    high = max(column.high for column in cut if column.high == column.high)
    room = _PADDING * max(high - low, 0.05 * high, 1.0)
    low, high = max(low - room, 0.0), high + room
    is_size = course.unit is Unit.BYTES
    rows = round_values(low, high, max(chart.cells[1] // _ROWS_A_LABEL, 2), 1024.0 if is_size else 1000.0)
    written = byte_tick if is_size else count
    value = figure(known[-1][1], course.unit)
    line = PlotLine("now", "now", "heap-alloc", "*", cut, value)
    ticks = [(row, written(row)) for row in rows if is_size or row == int(row)]
    chart.draw(Plot((line,), (), low, high, time_ticks(span_s, width, chart.cells[0]), ticks))
