"""Figures with their labels, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from memdash.plain import plain
from memdash.tables.row_course import Course
from memdash.tables.row_figures import RowFigure
from memdash.ui.widgets.paint import Painted
from memdash.ui.widgets.spark import sparkline
from memdash.ui.widgets.words import Part

__all__ = ["course_line", "figure_lines"]

_FIRST_CELLS, _SECOND_CELLS = 11, 13
_GAP = 2


def figure_lines(figures: Sequence[RowFigure], width: int) -> list[list[Part]]:
    """A line a figure; texts that are too long go on below."""
    label_cells = _label_cells(figures)
    has_second = any(figure.second for figure in figures)
    lines: list[list[Part]] = []
    for figure in figures:
        look = figure.tone.value
        label = Part(f"{figure.label:<{label_cells}}", "faint")
        if figure.text:
            room = max(width - label_cells, 16)
            first, *rest = wrap(plain(figure.text), room) or [""]
            lines.append([label, Part(first, look)])
            lines += [[Part(" " * label_cells), Part(line, look)] for line in rest]
            continue
        parts = [label, Part(f"{figure.first:>{_FIRST_CELLS}}", look)]
        if has_second:
            parts.append(Part(f"{figure.second:>{_SECOND_CELLS}}", look))
        lines.append([*parts, Part(f"{'':{_GAP}}{figure.more}", "faint")])
    return lines


def course_line(figures: Sequence[RowFigure], course: Course, width: int) -> list[Part]:
    """The course as one line below ``figures``, where there is no room for a chart."""
    label_cells = _label_cells(figures)
    return [
        Part(f"{'course':<{label_cells}}", "faint"),
        Part(sparkline(course.series.last, max(width - label_cells, 8), Painted.glyphs).lstrip(), "spark"),
    ]


def _label_cells(figures: Sequence[RowFigure]) -> int:
    return max((len(figure.label) for figure in figures), default=0) + _GAP
