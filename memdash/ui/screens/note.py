"""A line of words about a moment, for whoever finds its mark."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from memdash.ui.widgets.paint import Painted
from memdash.units import clock_time

__all__ = ["NoteScreen"]

_LONGEST = 200


class NoteScreen(ModalScreen[str]):
    """Gives back what was typed, perhaps nothing; None when the moment is not to be marked after all."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]
    AUTO_FOCUS = "Input"

    def __init__(self, wall_s: float) -> None:
        super().__init__()
        self._wall_s = wall_s
        self._field = Input(placeholder="deploy of 1.4.2", compact=True, max_length=_LONGEST)
        self._field.cursor_blink = False

    def compose(self) -> ComposeResult:
        """A line for the note."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = f"Mark {clock_time(self._wall_s)}"
            dialog.border_subtitle = Painted.glyphs.text("enter mark · esc cancel")
            yield Static("What happened? It stands in the alert log and the recording; , and . stop at it.")
            yield self._field

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.dismiss(self._field.value.strip())
