"""What every drill-down is: figures, a course, sections of text, the source; followed while it is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen
from textual.style import Style

from memdash.errors import MemdashError, defects_told
from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot, State
from memdash.pprof.source import SourceFile, SourceFinder
from memdash.pprof.taken import Files
from memdash.session.profiles import files_of
from memdash.tables.code import code_of
from memdash.ui.commands import DRILL, bindings
from memdash.ui.screens.drill.course import draw_course
from memdash.ui.screens.drill.figures import figure_lines
from memdash.ui.screens.drill.section import Look
from memdash.ui.screens.lines import folded
from memdash.ui.screens.sources import WITHOUT_FILE, doubts
from memdash.ui.watched import Watched
from memdash.ui.widgets.chart import ChartView
from memdash.ui.widgets.code import CodeView
from memdash.ui.widgets.footer import KeyLine
from memdash.ui.widgets.paint import Painted
from memdash.ui.widgets.words import Part, TextView
from memdash.units import clock_time

__all__ = ["DrillScreen"]

_FOLLOW_EVERY_S = 1.0
_WIDE_FROM, _HIGH_FROM = 110, 32
"""From here on all sections stand side by side."""
_FRAME_CELLS = 4
_SOURCE = "Source"


class DrillScreen(Screen[None]):
    """All about one row. Subclasses say what it is, which sections it has, and how it looks at a moment.

    ``titles`` are those of the sections beside the source, which only a row that is somewhere in the program has.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(DRILL), Binding("q,enter", "leave", show=False)]

    kind: ClassVar[str]
    titles: ClassVar[tuple[str, ...]]
    has_source: ClassVar[bool] = True

    def __init__(self, watched: Watched) -> None:
        super().__init__()
        self._watched = watched
        self._figures = TextView(id="figures")
        self._chart = ChartView(id="course")
        self._chart.can_focus = False
        self._source = CodeView(id="source")
        self._texts = [TextView(id=f"section-{number}") for number in range(len(self.titles))]
        self._keys = KeyLine(DRILL)
        self._open = 0
        self._shown: tuple[object, ...] = ()
        self._look: Look | None = None
        self._file: str | None = None
        self._finder: SourceFinder | None = None
        self._files = Files()
        self._text: Maybe[SourceFile] = Missing("it is being read")

    def rows(self, snapshot: Snapshot) -> object:
        """What the look is made of: while it is the same object there is nothing new to be seen."""
        raise NotImplementedError

    def look(self, snapshot: Snapshot, width: int) -> Look:
        """The row at this moment; texts in lines of at most ``width`` cells."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Figures, course and sections, and the keys."""
        with Container(id="drill", classes=f"-{len(self._sections)}"):
            yield self._figures
            yield self._chart
            yield from self._sections
        yield self._keys

    @property
    def _sections(self) -> list[Painted]:
        return [*([self._source] if self.has_source else []), *self._texts]

    @property
    def _is_wide(self) -> bool:
        size = self.app.size
        return len(self._sections) > 1 and size.width >= _WIDE_FROM and size.height >= _HIGH_FROM

    def on_mount(self) -> None:
        """Follow the watch from now on."""
        self._sections[0].focus()
        self.set_interval(_FOLLOW_EVERY_S, self.follow)

    def on_resize(self) -> None:
        """Lay out anew."""
        self.set_class(self._is_wide, "-wide")
        self._arrange()
        self.call_after_refresh(self.follow)

    # Painting

    def follow(self) -> None:
        """Show the newest moment, if it says anything new."""
        snapshot = self._watched.newest()
        width = self.app.size.width // (2 if self._is_wide else 1) - _FRAME_CELLS
        wish = (self.rows(snapshot), width, self.app.size, snapshot.state)
        if not self._shown or any(new is not old for new, old in zip(wish, self._shown, strict=True)):
            self._shown = wish
            self._show(snapshot, width)
        self._figures.entitle(self.kind, _moment_words(snapshot))

    def _show(self, snapshot: Snapshot, width: int) -> None:
        look = self._look = self.look(snapshot, width)
        with self.app.batch_update():
            lines = [line for text, tone in look.heading for line in folded(text, width, tone)]
            lines += [[Part(look.gone, "warning")]] if look.gone else [[], *figure_lines(look.figures, width)]
            self._figures.show_lines(lines, stay=True)
            self._figures.styles.height = None if self._is_wide else min(len(lines) + 2, self.app.size.height // 2)
            self._chart.entitle(look.course.title, look.course.bounds)
            draw_course(self._chart, look.course)
            for view, section in zip(self._texts, look.sections, strict=True):
                view.show_lines(section.lines, stay=True)
            self._arrange()
        self._show_source(snapshot)

    def _arrange(self) -> None:
        """Show all sections, or the open one under the titles of all."""
        remarks = ["", *(section.remark for section in self._look.sections)] if self._look is not None else []
        for number, view in enumerate(self._sections):
            view.display = self._is_wide or number == self._open
            remark = remarks[number + (not self.has_source)] if remarks else ""
            if view is not self._source:
                view.entitle(self._tabs(number), remark)
            else:
                view.entitle(self._tabs(number), self._place)

    def _tabs(self, number: int) -> Content | str:
        titles = [*([_SOURCE] if self.has_source else []), *self.titles]
        if self._is_wide or len(titles) == 1:
            return titles[number]
        return Content.assemble(*(self._tab(at, title) for at, title in enumerate(titles)))

    def _tab(self, number: int, title: str) -> tuple[str, Style]:
        is_open = number == self._open
        look = Style() if is_open else Style(bold=False, dim=True)
        return f"[{title}]" if is_open else f" {title} ", look + Style.from_meta({"@click": f"screen.open({number})"})

    @property
    def _place(self) -> str:
        frame = self._look.frame if self._look is not None else None
        return "" if frame is None or not frame.line else f"line {frame.line}"

    # The source

    def _show_source(self, snapshot: Snapshot) -> None:
        frame = self._look.frame if self._look is not None else None
        if not self.has_source or frame is None:
            return
        if frame.file != self._file:
            self._file = frame.file
            self.run_worker(lambda: self._read(frame.file, snapshot), thread=True, exclusive=True, group="source")
        elif not isinstance(self._text, Missing) or self._text.hint:
            self._show_code()

    def _read(self, file: str, snapshot: Snapshot) -> None:
        """On a thread: files may be slow."""
        try:
            with defects_told():
                if self._finder is None:
                    self._files = files_of(snapshot)
                    self._finder = SourceFinder.of(self._watched.sources, self._files)
                found: Maybe[SourceFile] = self._finder.file(file) if file else WITHOUT_FILE
        except MemdashError as error:
            found = Missing(error.what, error.hint)
        self.app.call_from_thread(self._have_read, file, found)

    def _have_read(self, file: str, found: Maybe[SourceFile]) -> None:
        if self.is_attached and file == self._file:
            self._text = found
            self._show_code(is_first=True)

    def _show_code(self, *, is_first: bool = False) -> None:
        look = self._look
        if look is None or look.frame is None:
            return
        texts: Sequence[str] = () if isinstance(self._text, Missing) else self._text.lines
        code = code_of(
            texts,
            {line: (held,) for line, held in look.held.items()},
            (look.held_title,),
            unit=look.held_unit,
            functions={},
            marked=look.frame.line,
        )
        self._source.show_code(code, doubts(self._text, self._files), at=look.frame.line if is_first else None)

    # What a person does

    def action_section(self, step: int) -> None:
        """Go to the next (1) or previous (-1) section."""
        sections = self._sections
        at = next((number for number, view in enumerate(sections) if view.has_focus), self._open)
        self.action_open((at + step) % len(sections))

    def action_open(self, number: int) -> None:
        """Open a section."""
        self._open = number
        self._arrange()
        self._sections[number].focus()

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
