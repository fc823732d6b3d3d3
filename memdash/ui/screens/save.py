"""Where to save something, asked until it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, TypeAlias

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from memdash.errors import MemdashError
from memdash.files import is_device, written
from memdash.plain import plain
from memdash.ui.beside import beside
from memdash.ui.widgets.paint import Painted
from memdash.units import byte_size

__all__ = ["Made", "SaveScreen"]

Made: TypeAlias = tuple[bytes, Sequence[str]]
"""What is to be written, and words about it: how it is opened, then what is to be known of it, a line each."""


class SaveScreen(ModalScreen[str]):
    """Writes what ``make`` returns to the file that a person names; then gives back the words about it.

    It is written under another name first, and takes the place of a file only when a person has said so.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]
    AUTO_FOCUS = "Input"

    def __init__(self, title: str, what: str, make: Callable[[Path], Made], file_name: str) -> None:
        """``make`` is called with the path on a thread, and may raise MemdashError; ``what`` is what it makes."""
        super().__init__()
        self._title = title
        self._what = what
        self._make = make
        self._field = Input(file_name, compact=True, select_on_focus=False)
        self._field.cursor_blink = False
        self._told = Static("", classes="error", markup=False)

    def compose(self) -> ComposeResult:
        """A line for the name, and one for what is wrong with it."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = Painted.glyphs.text("enter save · esc cancel")
            yield Static(_whereabouts(self._what), markup=False)
            yield self._field
            yield self._told

    @on(Input.Changed)
    def _forgive(self) -> None:
        self._tell("")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        name = self._field.value.strip()
        if any(worker.node is self and worker.is_running for worker in self.workers):
            return
        if not name:
            self._tell("a file needs a name")
            return
        try:
            path = Path(name).expanduser()
            is_there = path.exists()
            is_folder = path.is_dir()
            is_no_file = is_device(path)
        except (OSError, RuntimeError, ValueError) as error:  # too long, nobody's home, a zero in it
            self._tell(_why(error))
            return
        if is_folder:
            self._tell(f"{path} is a folder; name a file in it")
        elif is_no_file:
            self._tell(f"{path} is a pipe or device, which may never take what is written; name a file")
        elif not path.parent.is_dir():
            self._tell(f"there is no folder {path.parent}")
        elif is_there:
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
        self.app.push_screen(Confirm("Overwrite this file?", words, "Overwrite"), answered)

    def _save(self, path: Path, *, replaces: bool) -> None:
        self._tell("being written …", is_error=False)

        def done(words: str | None) -> None:
            if words is None:
                self._ask_to_overwrite(path)
            else:
                self.dismiss(words)

        beside(self, lambda: self._write(path, replaces), done, self._failed, group="save")

    def _write(self, path: Path, replaces: bool) -> str | None:
        """The words about it; None when there has come to be such a file. On the thread."""
        worker = get_current_worker()
        data, about = self._make(path)
        if worker.is_cancelled:
            return ""
        try:
            with written(path, replaces=replaces) as out:
                out.write(data)
        except FileExistsError:
            return None
        except OSError as error:
            raise MemdashError(f"{path} cannot be written: {_why(error)}") from None
        first, *more = about
        return "\n".join(map(plain, (f"{byte_size(len(data))} saved: {first}", *more)))

    def _failed(self, error: MemdashError) -> None:
        self._tell(". ".join(filter(None, (error.what, error.hint))))

    def _tell(self, words: str, *, is_error: bool = True) -> None:
        if self.is_attached:
            self._told.update(plain(words))
            self._told.set_class(bool(words), "-told")
            self._told.set_class(not is_error, "-calm")


def _whereabouts(what: str) -> str:
    try:
        return f"{what}, in {plain(str(Path.cwd()))} unless you name another folder."
    except OSError:  # somebody has removed it
        return f"{what}. The working directory is gone: name the whole path."


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", "") or str(error)).lower()
