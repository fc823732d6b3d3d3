"""Where to save a profile, asked until it is written."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from memdash.errors import MemdashError, defects_told
from memdash.files import written
from memdash.plain import plain
from memdash.pprof.taken import TakenProfile
from memdash.ui.widgets.paint import Painted
from memdash.units import byte_size

__all__ = ["SaveScreen"]


class SaveScreen(ModalScreen[str]):
    """Writes what ``take`` returns to the file that a person names; then gives back the words about it.

    It is written under another name first, and takes the place of a file only when a person has said so.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]
    AUTO_FOCUS = "Input"

    def __init__(self, take: Callable[[], TakenProfile], file_name: str) -> None:
        """``take`` is called on a thread, and may raise MemdashError."""
        super().__init__()
        self._take = take
        self._field = Input(file_name, compact=True, select_on_focus=False)
        self._field.cursor_blink = False
        self._told = Static("", classes="error", markup=False)

    def compose(self) -> ComposeResult:
        """A line for the name, and one for what is wrong with it."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Save the profile"
            dialog.border_subtitle = Painted.glyphs.text("enter save · esc cancel")
            yield Static(_whereabouts(), markup=False)
            yield self._field
            yield self._told

    @on(Input.Changed)
    def _forgive(self) -> None:
        self._tell("")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        name = self._field.value.strip()
        if any(worker.is_running for worker in self.workers):
            return
        if not name:
            self._tell("a file needs a name")
            return
        try:
            path = Path(name).expanduser()
            is_there = path.exists()
            is_folder = path.is_dir()
        except (OSError, RuntimeError, ValueError) as error:  # too long, nobody's home, a zero in it
            self._tell(_why(error))
            return
        if is_folder:
            self._tell(f"{path} is a folder; name a file in it")
        elif not path.parent.is_dir():
            self._tell(f"there is no folder {path.parent}")
        elif is_there and path.is_file():
            self._ask_to_overwrite(path)
        else:
            self._save(path, replaces=False)

    def _ask_to_overwrite(self, path: Path) -> None:
        from memdash.ui.screens.confirm import Confirm

        if not self.is_attached:
            return

        def answered(wanted: bool | None) -> None:
            if wanted:
                self._save(path, replaces=True)

        words = f"{plain(str(path))} exists already. What it holds now would be lost"
        self.app.push_screen(Confirm("Overwrite", words), answered)

    def _save(self, path: Path, *, replaces: bool) -> None:
        self._tell("being written …", is_error=False)
        self.run_worker(lambda: self._write(path, replaces), thread=True, exclusive=True, group="save")

    def _write(self, path: Path, replaces: bool) -> None:
        """On the worker's thread."""
        from memdash.pprof.encode import encode  # protobuf takes 30 ms

        worker = get_current_worker()
        try:
            with defects_told():
                taken = self._take()
                data = encode(taken.document)
            if worker.is_cancelled:
                return
            with written(path, replaces=replaces) as out:
                out.write(data)
        except FileExistsError:
            self.app.call_from_thread(self._ask_to_overwrite, path)
        except MemdashError as error:
            self.app.call_from_thread(self._tell, ". ".join(filter(None, (error.what, error.hint))))
        except OSError as error:
            self.app.call_from_thread(self._tell, f"{path} cannot be written: {_why(error)}")
        else:
            words = [f"{byte_size(len(data))} saved: go tool pprof {shlex.quote(str(path))}", *taken.notes]
            self.app.call_from_thread(self._done, "\n".join(map(plain, words)))

    def _done(self, words: str) -> None:
        if self.is_attached:
            self.dismiss(words)

    def _tell(self, words: str, *, is_error: bool = True) -> None:
        if self.is_attached:
            self._told.update(plain(words))
            self._told.set_class(bool(words), "-told")
            self._told.set_class(not is_error, "-calm")


def _whereabouts() -> str:
    try:
        return f"A file for go tool pprof, in {plain(str(Path.cwd()))} unless you name another folder."
    except OSError:  # somebody has removed it
        return "A file for go tool pprof. The working directory is gone: name the whole path."


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", "") or str(error)).lower()
