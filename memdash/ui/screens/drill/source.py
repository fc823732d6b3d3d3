"""The source around the place of a row, each line with what it holds."""

from __future__ import annotations

from collections.abc import Sequence

from memdash.config import SourcePath
from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot
from memdash.pprof.source import SourceFile, SourceFinder
from memdash.pprof.taken import Files
from memdash.session.profiles import files_of
from memdash.tables.code import code_of
from memdash.ui.beside import beside
from memdash.ui.screens.drill.section import Look
from memdash.ui.screens.sources import WITHOUT_FILE, doubts
from memdash.ui.watched import Watched
from memdash.ui.widgets.code import CodeView
from memdash.units import figure

__all__ = ["SourceView"]

_Known = tuple[Files, SourceFinder]
_BEING_READ = Missing("it is being read")


class SourceView(CodeView):
    """Reads each file once, on a thread: it may be slow."""

    def __init__(self, watched: Watched) -> None:
        super().__init__(id="source")
        self._watched = watched
        self._known: _Known | None = None
        self._look: Look | None = None
        self._path: str | None = None
        self._text: Maybe[SourceFile] = _BEING_READ

    def show(self, look: Look, snapshot: Snapshot) -> None:
        """Show the lines around the look's frame; where there is none, nothing."""
        self._look = look
        if look.frame is None:
            return
        if look.frame.file != self._path:
            is_first, self._path, self._text = self._path is None, look.frame.file, _BEING_READ
            if not is_first:
                self._show_code(look, is_first=True)
            self._begin(look.frame.file, snapshot)
        elif self._text is not _BEING_READ:
            self._show_code(look, is_first=False)

    def _begin(self, path: str, snapshot: Snapshot) -> None:
        known, sources = self._known, self._watched.sources

        def read() -> tuple[_Known, Maybe[SourceFile]]:
            files, finder = known or _known(snapshot, sources)
            return (files, finder), finder.file(path) if path else WITHOUT_FILE

        beside(self, read, self._have_read, lambda error: self._have(Missing.of(error)), group="read")

    def _have_read(self, read: tuple[_Known, Maybe[SourceFile]]) -> None:
        self._known, found = read
        self._have(found)

    def _have(self, text: Maybe[SourceFile]) -> None:
        self._text = text
        if self._look is not None:
            self._show_code(self._look, is_first=True)

    def _show_code(self, look: Look, *, is_first: bool) -> None:
        texts: Sequence[str] = () if isinstance(self._text, Missing) else self._text.lines
        line = look.frame.line if look.frame is not None else 0
        code = code_of(
            texts,
            {number: (held,) for number, held in look.held.items()},
            (look.held_title,),
            write=lambda value: figure(value, look.held_unit),
            functions={},
            marked=line,
        )
        files = Files() if self._known is None else self._known[0]
        self.show_code(code, doubts(self._text, files), at=line if is_first else None)


def _known(snapshot: Snapshot, sources: SourcePath) -> _Known:
    files = files_of(snapshot)
    return files, SourceFinder.of(sources, files)
