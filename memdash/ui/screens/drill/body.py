"""Where figures, course and sections of a drill-down stand: side by side, or one section at a time behind tabs."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.style import Style

from memdash.ui.widgets.paint import Painted
from memdash.ui.widgets.words import TextView

__all__ = ["Body"]

_COURSE = "Course"
_HIGH_FROM = 32
"""On a lower screen the course is one of the sections."""
_WIDE_FROM, _WIDER_FROM = 120, 150
"""From here on all sections stand side by side, and from there on both halves have the same room."""
_FRAME_CELLS = 4
"""Borders and padding."""


class Body(Container):
    """``figures`` always stand above; ``sections`` go by their titles, ``course`` too where there is little room."""

    def __init__(self, figures: TextView, course: Painted, sections: Sequence[tuple[str, Painted]]) -> None:
        super().__init__(id="drill", classes=f"-{len(sections)}")
        self._figures = figures
        self._course = course
        self._sections = sections
        self._open = 0
        self._lines = 0
        self._remarks: dict[Painted, str] = {}

    def compose(self) -> ComposeResult:
        """Figures, course, sections."""
        yield self._figures
        yield self._course
        yield from (view for _, view in self._sections)

    @property
    def is_low(self) -> bool:
        """Whether the course shares its room with the sections."""
        return len(self._sections) > 1 and self.app.size.height < _HIGH_FROM

    @property
    def is_wide(self) -> bool:
        """Whether all stand side by side."""
        return len(self._sections) > 1 and not self.is_low and self.app.size.width >= _WIDE_FROM

    @property
    def text_width(self) -> int:
        """Cells of a line of the sections beside the source."""
        width = self.app.size.width
        if self.is_wide:
            width = width // 2 if width >= _WIDER_FROM else 2 * width // 5
        return width - _FRAME_CELLS

    @property
    def _tabbed(self) -> Sequence[tuple[str, Painted]]:
        return [*self._sections, (_COURSE, self._course)] if self.is_low else self._sections

    def suit(self) -> None:
        """Suit the size of the screen."""
        self.set_class(self.is_wide, "-wide")
        self.set_class(self.app.size.width >= _WIDER_FROM, "-wider")
        self.set_class(self.is_low, "-low")
        tabbed = self._tabbed
        self._open = min(self._open, len(tabbed) - 1)
        for number, (_, view) in enumerate(tabbed):
            view.display = self.is_wide or number == self._open
            view.entitle(self._title(number), self._remarks.get(view, ""))
        if not self.is_low:
            self._course.display = True
            self._course.entitle(_COURSE, self._remarks.get(self._course, ""))
        self._size_figures()

    def fit(self, lines: int) -> None:
        """Give the figures as much room as so many lines take."""
        self._lines = lines
        self._size_figures()

    def _size_figures(self) -> None:
        most = self.app.size.height // 2
        self._figures.styles.height = None if self.is_wide else min(self._lines + self._figures.gutter.height, most)

    def remark(self, view: Painted, words: str) -> None:
        """Say something below a section."""
        if self._remarks.get(view) != words:
            self._remarks[view] = words
            self.suit()

    def _title(self, number: int) -> Content | str:
        tabbed = self._tabbed
        if self.is_wide or len(tabbed) == 1:
            return tabbed[number][0]
        return Content.assemble(*(self._tab(at, title) for at, (title, _) in enumerate(tabbed)))

    def _tab(self, number: int, title: str) -> tuple[str, Style]:
        is_open = number == self._open
        look = Style() if is_open else Style(bold=False, dim=True)
        return f"[{title}]" if is_open else f" {title} ", look + Style.from_meta({"@click": f"screen.open({number})"})

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Side by side, the one in use may have been clicked."""
        if self.is_wide:
            self._open = next((at for at, (_, view) in enumerate(self._tabbed) if view is event.widget), self._open)

    def go(self, step: int) -> None:
        """Open the next (1) or previous (-1) section."""
        self.open((self._open + step) % len(self._tabbed))

    def open(self, number: int = 0) -> None:
        """Open a section, counted from 0."""
        self._open = number
        self.suit()
        self._tabbed[number][1].focus()
