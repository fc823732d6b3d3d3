"""Figures with their labels, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import NamedTuple

from memdash.plain import plain
from memdash.ui.screens.drill.course import Course
from memdash.ui.widgets.paint import Painted
from memdash.ui.widgets.spark import sparkline
from memdash.ui.widgets.words import Part

__all__ = ["Figure", "course_line", "figure_lines"]

_FIRST_CELLS, _SECOND_CELLS = 11, 13
_GAP = 2


class Figure(NamedTuple):
    """A line: one or two figures under each other's, or a text; ``more`` says what they are of, or since when."""

    label: str
    first: str = ""
    second: str = ""
    more: str = ""
    text: str = ""
    look: str = "plain"


def figure_lines(figures: Sequence[Figure], width: int) -> list[list[Part]]:
    """A line a figure; texts that are too long go on below."""
    label_cells = _label_cells(figures)
    has_second = any(figure.second for figure in figures)
    lines: list[list[Part]] = []
    for figure in figures:
        label = Part(f"{figure.label:<{label_cells}}", "faint")
        if figure.text:
            room = max(width - label_cells, 16)
            first, *rest = wrap(plain(figure.text), room) or [""]
            lines.append([label, Part(first, figure.look)])
            lines += [[Part(" " * label_cells), Part(line, figure.look)] for line in rest]
            continue
        parts = [label, Part(f"{figure.first:>{_FIRST_CELLS}}", figure.look)]
        if has_second:
            parts.append(Part(f"{figure.second:>{_SECOND_CELLS}}", figure.look))
        lines.append([*parts, Part(f"{'':{_GAP}}{figure.more}", "faint")])
    return lines


def course_line(figures: Sequence[Figure], course: Course, width: int) -> list[Part]:
    """The course as one line below ``figures``, where there is no room for a chart."""
    label_cells = _label_cells(figures)
    return [
        Part(f"{'course':<{label_cells}}", "faint"),
        Part(sparkline(course.sizes, max(width - label_cells, 8), Painted.glyphs).lstrip(), "spark"),
    ]


def _label_cells(figures: Sequence[Figure]) -> int:
    return max((len(figure.label) for figure in figures), default=0) + _GAP
