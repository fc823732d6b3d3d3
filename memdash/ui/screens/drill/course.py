"""What a row held over the watch, as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memdash.analysis.resample import Column, columns
from memdash.model.capability import Capability
from memdash.model.series import Series
from memdash.model.snapshot import Snapshot
from memdash.ui.widgets.axis import round_values, span_words, time_ticks
from memdash.ui.widgets.chart import ChartView, Plot, PlotLine
from memdash.units import Unit, byte_tick, count, figure

__all__ = ["Course", "CourseChart", "course_of"]

_PADDING = 0.06
"""Share of the range left free above and below."""
_ROWS_A_LABEL = 2


@dataclass(frozen=True, slots=True)
class Course:
    """A row's course up to ``until_s`` on the monotonic clock."""

    series: Series
    until_s: float
    unit: Unit

    @property
    def span_s(self) -> float:
        """From the first reading that knows the row until now."""
        first = next((t for t, v in zip(self.series.times_s, self.series.last, strict=True) if v == v), None)  # no NaN
        return 0.0 if first is None else self.until_s - first

    @property
    def sizes(self) -> tuple[float, ...]:
        """The newest values of each stretch of time, for a sparkline."""
        return tuple(self.series.last)

    @property
    def bounds(self) -> str:
        """Least and most, and over which time."""
        low = [value for value in self.series.low if value == value]
        high = [value for value in self.series.high if value == value]
        if len(self.series.known) < 2:
            return ""
        return f"{figure(min(low), self.unit)} to {figure(max(high), self.unit)} in {span_words(self.span_s)}"


def course_of(snapshot: Snapshot, capability: Capability, key: object, unit: Unit) -> Course:
    """The course of a row as of this moment; empty when nothing followed it."""
    followed = snapshot.courses.get(capability)
    series = followed.of(key) if followed is not None else Series((), (), (), (), (), 1.0)
    return Course(series, snapshot.at.mono_s, unit)


class CourseChart(ChartView):
    """One line that needs no name."""

    legend_width = 0

    def show(self, course: Course) -> None:
        """Draw ``course``."""
        span_s, width = course.span_s, self.dots_across
        known = course.series.known
        if len(known) < 2:
            why = "it has been read once so far" if known else "only the largest are followed from reading to reading"
            self.draw(Plot((), (), 0.0, 1.0, (), (), why))
        elif width:
            self.draw(self._plot_of(course, columns(course.series, course.until_s, span_s, width)))

    def _plot_of(self, course: Course, cut: Sequence[Column]) -> Plot:
        low = min(column.low for column in cut if column.low == column.low)  # without NaN
        high = max(column.high for column in cut if column.high == column.high)
        room = _PADDING * max(high - low, 0.05 * high, 1.0)
        low, high = max(low - room, 0.0), high + room
        across, down = self.cells
        is_size = course.unit is Unit.BYTES
        values = round_values(low, high, max(down // _ROWS_A_LABEL, 2), 1024.0 if is_size else 1000.0)
        written = byte_tick if is_size else count
        return Plot(
            lines=(PlotLine("", "", "heap-alloc", "*", cut),),
            marks=(),
            low=low,
            high=high,
            x_ticks=time_ticks(course.span_s, self.dots_across, across),
            y_ticks=[(value, written(value)) for value in values if is_size or value == int(value)],
        )
