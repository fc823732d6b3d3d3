"""What a drill-down shows: figures, a course, and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from memdash.model.profile import Frame
from memdash.tables.row_course import Course
from memdash.tables.row_figures import RowFigure
from memdash.ui.widgets.words import Part
from memdash.units import Unit

__all__ = ["Look", "Section"]


@dataclass(frozen=True, slots=True)
class Section:
    """Lines; ``remark`` stands below them."""

    lines: Sequence[Sequence[Part]]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """All that is to be seen of a row at one moment; ``kind`` is what it is. Once it is ``gone``, that says so.

    ``sections`` are in the order of the screen's; ``frame`` is where in the program it is, None where there is no such
    place, and ``held`` what the lines of its file hold, of ``held_unit`` and under ``held_title``.
    """

    kind: str
    heading: Sequence[tuple[str, str]]
    figures: Sequence[RowFigure]
    course: Course
    sections: Sequence[Section]
    gone: str = ""
    frame: Frame | None = None
    held: Mapping[int, int] = field(default_factory=dict)
    held_title: str = ""
    held_unit: Unit = Unit.BYTES
