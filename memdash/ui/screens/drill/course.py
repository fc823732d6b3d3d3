"""What a row held over the watch, as a chart."""

from __future__ import annotations

import math
from collections.abc import Sequence

from memdash.analysis.resample import Column, columns
from memdash.tables.axis import clock_ticks, padded, round_values, step_of
from memdash.tables.row_course import Course
from memdash.ui.widgets.chart import ChartView, Plot, PlotLine
from memdash.units import Unit, byte_tick, figure

__all__ = ["CourseChart", "course_ticks"]

_ROWS_A_LABEL = 2


class CourseChart(ChartView):
    """One line that needs no name."""

    legend_width = 0

    def show(self, course: Course) -> None:
        """Draw ``course``."""
        width = self.dots_across
        if course.why_empty:
            self.draw(Plot((), (), 0.0, 1.0, (), (), course.why_empty))
        elif width:
            self.draw(self._plot_of(course, columns(course.series, course.until.mono_s, course.span_s, width)))

    def _plot_of(self, course: Course, cut: Sequence[Column]) -> Plot:
        low, high = padded(
            min(column.low for column in cut if not math.isnan(column.low)),
            max(column.high for column in cut if not math.isnan(column.high)),
        )
        across, down = self.cells
        is_size = course.unit is Unit.BYTES
        values = round_values(low, high, max(down // _ROWS_A_LABEL, 2), 1024.0 if is_size else 1000.0)
        return Plot(
            lines=(PlotLine("", "", "heap-alloc", "*", cut),),
            marks=(),
            low=low,
            high=high,
            x_ticks=clock_ticks(
                course.until.wall_s - course.span_s, course.span_s, step_of(course.span_s, across), self.dots_across
            ),
            y_ticks=course_ticks(values, course.unit),
        )


def course_ticks(values: Sequence[float], unit: Unit) -> list[tuple[float, str]]:
    """Round values as they are written, each once: of a course that hardly moves several would read the same."""
    ticks: list[tuple[float, str]] = []
    for value in values:
        words = byte_tick(value) if unit is Unit.BYTES else figure(value, unit)
        is_between = unit is Unit.COUNT and value != int(value)
        if not is_between and (not ticks or ticks[-1][1] != words):
            ticks.append((value, words))
    return ticks
