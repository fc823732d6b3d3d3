"""The source around the place of a row, each line with what it holds."""

from __future__ import annotations

from collections.abc import Sequence

from memdash.errors import MemdashError, defects_told
from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot
from memdash.pprof.source import SourceFile, SourceFinder
from memdash.pprof.taken import Files
from memdash.session.profiles import files_of
from memdash.tables.code import code_of
from memdash.ui.screens.drill.section import Look
from memdash.ui.screens.sources import WITHOUT_FILE, doubts
from memdash.ui.watched import Watched
from memdash.ui.widgets.code import CodeView

__all__ = ["SourceView"]

_BEING_READ = Missing("it is being read")


class SourceView(CodeView):
    """Reads each file once, on a thread: it may be slow."""

    def __init__(self, watched: Watched) -> None:
        super().__init__(id="source")
        self._watched = watched
        self._finder: SourceFinder | None = None
        self._files = Files()
        self._look: Look | None = None
        self._path: str | None = None
        self._text: Maybe[SourceFile] = _BEING_READ

    def show(self, look: Look, snapshot: Snapshot) -> None:
        """Show the lines around the look's frame; where there is none, nothing."""
        self._look = look
        if look.frame is None:
            return
        if look.frame.file != self._path:
            self._path = path = look.frame.file
            self.run_worker(lambda: self._read(path, snapshot), thread=True, exclusive=True)
        elif self._text is not _BEING_READ:
            self._show_code(look, is_first=False)

    def _read(self, path: str, snapshot: Snapshot) -> None:
        """On the worker's thread."""
        try:
            with defects_told():
                if self._finder is None:
                    self._files = files_of(snapshot)
                    self._finder = SourceFinder.of(self._watched.sources, self._files)
                found: Maybe[SourceFile] = self._finder.file(path) if path else WITHOUT_FILE
        except MemdashError as error:
            found = Missing(error.what, error.hint)
        self.app.call_from_thread(self._have_read, path, found)

    def _have_read(self, path: str, found: Maybe[SourceFile]) -> None:
        if self.is_attached and path == self._path and self._look is not None:
            self._text = found
            self._show_code(self._look, is_first=True)

    def _show_code(self, look: Look, *, is_first: bool) -> None:
        texts: Sequence[str] = () if isinstance(self._text, Missing) else self._text.lines
        line = look.frame.line if look.frame is not None else 0
        code = code_of(
            texts,
            {number: (held,) for number, held in look.held.items()},
            (look.held_title,),
            unit=look.held_unit,
            functions={},
            marked=line,
        )
        self.show_code(code, doubts(self._text, self._files), at=line if is_first else None)
