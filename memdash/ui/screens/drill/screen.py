"""What every drill-down is: figures, a course, sections of text, the source; followed while it is open."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from memdash.model.snapshot import Snapshot, State
from memdash.ui.beside import beside
from memdash.ui.command import DRILL
from memdash.ui.commands import bindings
from memdash.ui.screens.drill.body import Body
from memdash.ui.screens.drill.course import CourseChart
from memdash.ui.screens.drill.figures import course_line, figure_lines
from memdash.ui.screens.drill.section import Look
from memdash.ui.screens.drill.source import SourceView
from memdash.ui.screens.lines import folded
from memdash.ui.watched import Watched
from memdash.ui.widgets.footer import KeyLine
from memdash.ui.widgets.paint import Painted
from memdash.ui.widgets.words import Part, TextView
from memdash.units import clock_time

__all__ = ["DrillScreen"]

_FOLLOW_EVERY_S = 1.0


class DrillScreen(Screen[None]):
    """All about one row. Subclasses say what it is, which sections it has, and how it looks at a moment.

    ``titles`` are those of the sections beside the source, which only a row that is somewhere in the program has.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(DRILL), Binding("q,enter", "leave", show=False)]

    titles: ClassVar[tuple[str, ...]]
    has_source: ClassVar[bool] = True

    def __init__(self, watched: Watched) -> None:
        super().__init__()
        self._watched = watched
        self._figures = TextView(id="figures")
        self._course = CourseChart(id="course")
        self._source = SourceView(watched)
        self._texts = [TextView(id=f"section-{number}") for number in range(len(self.titles))]
        texts: list[tuple[str, Painted]] = list(zip(self.titles, self._texts, strict=True))
        self._body = Body(self._figures, self._course, [("Source", self._source), *texts][not self.has_source :])
        self._keys = KeyLine(DRILL)
        self._rows: object = None
        self._room: tuple[object, ...] = ()
        self._look: Look | None = None

    def rows(self, snapshot: Snapshot) -> object:
        """What the look is made of: while it is the same object there is nothing new to be seen."""
        raise NotImplementedError

    def look(self, snapshot: Snapshot, width: int) -> Look:
        """The row at this moment; texts in lines of at most ``width`` cells. On a thread: many stacks take long."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Figures, course and sections, and the keys."""
        yield self._body
        yield self._keys

    def on_mount(self) -> None:
        """Follow the watch from now on."""
        self._body.open()
        self.set_interval(_FOLLOW_EVERY_S, self.follow)

    def on_resize(self) -> None:
        """Lay out anew, and fill what has got its place."""
        self._body.suit()
        self.call_after_refresh(self.follow)

    def follow(self) -> None:
        """Show the newest moment, if it says anything new."""
        snapshot = self._watched.newest()
        rows, room = self.rows(snapshot), (self.app.size, self._course.inner, snapshot.state)
        if rows is not self._rows or room != self._room:
            self._rows, self._room = rows, room
            width = self._body.text_width
            beside(
                self,
                lambda: self.look(snapshot, width),
                lambda look: self._show(look, snapshot),
                lambda error: self._figures.show_lines([[Part(error.what, "warning")]]),
                group="look",
            )
        self._entitle(snapshot)

    def _entitle(self, snapshot: Snapshot) -> None:
        self._figures.entitle(self._look.kind if self._look is not None else "", _moment_words(snapshot))

    def _show(self, look: Look, snapshot: Snapshot) -> None:
        with self.app.batch_update():
            self._fill(look, snapshot)
        self._entitle(snapshot)

    def _fill(self, look: Look, snapshot: Snapshot) -> None:
        self._look = look
        lines = self._lines(look)
        self._figures.show_lines(lines, stay=True)
        self._body.fit(len(lines))
        self._course.show(look.course)
        self._body.remark(self._course, look.course.bounds)
        for view, section in zip(self._texts, look.sections, strict=True):
            view.show_lines(section.lines, stay=True)
            self._body.remark(view, section.remark)
        if look.frame is not None and look.frame.line:
            self._body.remark(self._source, f"line {look.frame.line}")
        self._source.show(look, snapshot)

    def _lines(self, look: Look) -> list[list[Part]]:
        width = max(self._figures.inner.width, 20)
        lines = [line for text, tone in look.heading for line in folded(text, width, tone)]
        if look.gone:
            return [*lines, [Part(look.gone, "warning")]]
        if self._body.is_low:
            return [*lines, *figure_lines(look.figures, width), course_line(look.figures, look.course, width)]
        return [*lines, [], *figure_lines(look.figures, width)]

    # What a person does

    def action_section(self, step: int) -> None:
        """Go to the next (1) or previous (-1) section."""
        self._body.go(step)
        self.call_after_refresh(self.follow)

    def action_open(self, number: int) -> None:
        """Open a section."""
        self._body.open(number)
        self.call_after_refresh(self.follow)

    def action_profile(self, name: str) -> None:
        """A view of the profile, about the place of this row."""
        from memdash.ui.screens.profile import visit

        frame = self._look.frame if self._look is not None else None
        self.app.push_screen(visit(name, self._watched.newest, subject=frame, sources=self._watched.sources))

    def action_copy(self) -> None:
        """Put its name and place into the terminal's clipboard (OSC 52)."""
        if self._look is not None:
            self.app.copy_to_clipboard(" ".join(text for text, _ in self._look.heading))
            self.notify("copied", timeout=2)

    def action_leave(self) -> None:
        """Back to the dashboard."""
        self.dismiss()


def _moment_words(snapshot: Snapshot) -> str:
    moment = f"as of {clock_time(snapshot.at.wall_s)}"
    if snapshot.state is State.ENDED and snapshot.ending is not None:
        return f"the target {snapshot.ending.words} · {moment}"
    return moment
