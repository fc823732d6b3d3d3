"""The source of a file, each line with what it holds; and the functions to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from memdash.errors import UsageError
from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame
from memdash.pprof.costs import CostedFile, CostedFunction, costed_files
from memdash.pprof.names import readable
from memdash.pprof.pattern import compiled
from memdash.pprof.source import SourceFile
from memdash.pprof.view import Frame as Function
from memdash.pprof.view import clean_path
from memdash.tables.code import NO_CODE, Code, code_of
from memdash.tables.profile_figures import ProfileFigures
from memdash.tables.profile_functions import functions_table, place_of
from memdash.tables.table import Table
from memdash.ui.command import CODE, LIST, PROFILE, Command
from memdash.ui.commands import bindings
from memdash.ui.screens.profile.screen import ProfileScreen
from memdash.ui.screens.profile.study import Sight, Study
from memdash.ui.screens.sources import WITHOUT_FILE, doubts
from memdash.ui.widgets.code import CodeView
from memdash.ui.widgets.cut import cut, width_of
from memdash.ui.widgets.filter import FilterBar
from memdash.ui.widgets.table import TableView
from memdash.units import count, ratio

__all__ = ["ListScreen"]

_NOT_HERE = ("find", "match(1)", "match(-1)", "whole")
_TITLES = ("flat", "cum")
_BORDER_CELLS = 8


@dataclass(frozen=True, slots=True)
class _Listing:
    """A file of all those of a view, the function of it that is meant, and what is to be said of it."""

    files: tuple[CostedFile, ...]
    file: CostedFile
    function: CostedFunction | None
    code: Code
    figures: ProfileFigures
    why: str


class ListScreen(ProfileScreen[_Listing]):
    """Flat and cum by line of the file that the study's subject stands in, or else of the heaviest function."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(LIST),
        Binding("down", "choose_step(1)", show=False),
        Binding("up", "choose_step(-1)", show=False),
    ]
    name_of_view = "list"
    title_of_view = "List"
    scopes: ClassVar[tuple[str, ...]] = (PROFILE, LIST, CODE)

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self._source = CodeView(id="source")
        self._functions = TableView(id="functions")
        self._functions.display = False
        self._functions.keeps_cursor = True
        self._shown: _Listing | None = None

    @property
    def main(self) -> CodeView:
        """The source."""
        return self._source

    @property
    def selected(self) -> Frame | None:
        """The function that the line under the cursor belongs to."""
        if self._shown is None:
            return self.study.subject
        name = self._function_here(self._shown)
        return Frame(name, self._shown.file.path, self._source.number) if name else self.study.subject

    @property
    def chosen(self) -> Function | None:
        """The same by its name."""
        return None if self.selected is None else Function(name=readable(self.selected.function))

    def leave_trace(self) -> None:
        """Have the next view open there, and the next listing at the same line."""
        super().leave_trace()
        self.study.subject = self.selected

    def offers(self, command: Command) -> bool:
        """All but looking for a text: functions are looked for here."""
        return command.action not in _NOT_HERE and super().offers(command)

    def compose(self) -> ComposeResult:
        """The source or the functions, and the keys."""
        yield self._source
        yield self._functions
        yield self._keys

    def build(self, sight: Sight) -> _Listing:
        """Sum up by line and read the source."""
        view, subject = sight.view_of_lines(), sight.subject
        files = sight.kept("files", lambda: costed_files(view))
        file, function = _meant(files, subject)
        source: Maybe[SourceFile] = sight.finder.file(file.path) if file.path else WITHOUT_FILE
        texts: Sequence[str] = () if isinstance(source, Missing) else source.lines
        line = function.hottest if function is not None else subject.line if subject is not None else 0
        figures = ProfileFigures(view.sample_type.unit, view.total, is_signed=sight.lens.is_differential)
        code = code_of(
            texts,
            {number: (cost.flat, cost.cum) for number, cost in file.lines.items()},
            _TITLES,
            write=figures.value,
            functions={number: cost.function for number, cost in file.lines.items()},
            marked=line,
        )
        why = doubts(source, sight.taken.files)
        if not file.path:  # the notes say what the rows are, if not lines
            why = "; ".join((why, *sight.taken.notes))
        return _Listing(files, file, function, code, figures, why)

    def present(self, built: _Listing) -> None:
        """Show the source; the cursor goes to the function's heaviest line, unless only figures changed."""
        before = self._shown
        is_same = before is not None and (before.file.path, before.code.marked) == (built.file.path, built.code.marked)
        self._shown = built
        self._source.show_code(built.code, built.why, at=None if is_same else built.code.marked)
        self._describe()

    def say(self, words: str) -> None:
        """In place of the source."""
        self._shown = None
        self._source.show_code(NO_CODE, words)
        self.entitle("")

    @on(CodeView.Moved)
    def _describe(self) -> None:
        """Say below which function the cursor is in, and what that holds."""
        if self._shown is None:
            return
        listing = self._shown
        name = self._function_here(listing)
        here = next((function for function in listing.file.functions if function.name == name), None)
        if here is None:
            self.entitle(name if listing.function is not None else "nothing here holds anything")
            return
        figures = listing.figures
        share = f" ({ratio(abs(here.cum) / figures.total)})" if figures.total else ""
        self.entitle(f"{here.name} · flat {figures.value(here.flat)} · cum {figures.value(here.cum)}{share}")

    def _function_here(self, listing: _Listing) -> str:
        """The function of the line under the cursor; between lines that hold anything, the one that is meant."""
        held = listing.code.figures.get(self._source.number)
        if held is not None:
            return held.function
        return listing.function.name if listing.function is not None else ""

    def title_end(self, title: str) -> str:
        """The file, from the left as much of it as there is room for."""
        path = self._shown.file.path if self._shown is not None else ""
        room = (self.main.outer_size.width or self.app.size.width) - _BORDER_CELLS - width_of(title) - 3
        return cut(path, max(room, 8), "start")

    # Choosing a function

    def action_choose_function(self) -> None:
        """Type a regular expression that its name matches."""
        if self._shown is not None and not self.query(FilterBar):
            bar = FilterBar("", "a regular expression for functions; ↑ ↓ enter opens one, esc leaves it")
            bar.open(self._keys)
            self._offer("")

    def _offer(self, wanted: str) -> None:
        if self._shown is not None:
            self._source.display, self._functions.display = False, True
            self._functions.show_table(self._matching(self._shown, wanted))
            self._functions.entitle("Functions", f"{count(len(self._functions.table.rows))} match")

    def _matching(self, listing: _Listing, wanted: str) -> Table:
        """Those of the file first, then all others, heaviest first."""
        files = sorted(listing.files, key=lambda file: file.path != listing.file.path)
        try:
            pattern = compiled(wanted)
            found = [f for file in files for f in file.functions if pattern.found_in(f.name or f.file)]
        except UsageError as error:
            return functions_table((), listing.figures, f"{error.what}. {error.hint}")
        return functions_table(found, listing.figures, f"no function matches {wanted!r}")

    def action_choose_step(self, by: int) -> None:
        """Move among them while the expression is typed."""
        if self._functions.display:
            self._functions.step(by)

    def take_typed(self, typed: FilterBar.Typed) -> None:
        """Offer the functions that match, or open one."""
        if not typed.done:
            self._offer(typed.wanted)
        elif typed.given_up:
            self._stop_choosing()
        else:
            self._functions.action_choose()

    @on(TableView.Chosen)
    def _choose(self, chosen: TableView.Chosen) -> None:
        """Show the source of that function."""
        self.study.subject = place_of(chosen.row)
        self._stop_choosing()
        self.rebuild()

    def _stop_choosing(self) -> None:
        self.query(FilterBar).remove()
        self._source.display, self._functions.display = True, False
        self._source.focus()

    def action_leave(self) -> None:
        """Out of the choice first."""
        if self._functions.display:
            self._stop_choosing()
        else:
            super().action_leave()


def _meant(files: Sequence[CostedFile], subject: Frame | None) -> tuple[CostedFile, CostedFunction | None]:
    """The function that ``subject`` is, by name and file, or by name; else its file, be it without any figures."""
    if subject is None:
        return (files[0], files[0].functions[0]) if files else (CostedFile("", (), {}), None)
    name, path = readable(subject.function), clean_path(subject.file)
    named = [(file, function) for file in files for function in file.functions if function.name == name]
    in_file = next((file for file in files if file.path == path), CostedFile(path, (), {}))
    exact = next(((file, function) for file, function in named if file is in_file), None)
    if exact is not None or (named and not path):
        return exact or named[0]
    if path:
        return in_file, None
    return _meant(files, None)
