"""A line of words about a moment, for whoever finds its mark."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from memdash.plain import plain
from memdash.ui.widgets.paint import Painted
from memdash.units import clock_time

__all__ = ["NoteScreen"]

_LONGEST = 200


class NoteScreen(ModalScreen[str]):
    """Gives back what was typed, perhaps nothing; None when the moment is not to be marked after all.

    Where it turns out that it cannot be, the question stays until somebody closes it: what is still being typed would
    be keys of the dashboard.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter", "dismiss", show=False)]
    AUTO_FOCUS = "Input"

    def __init__(self, wall_s: float) -> None:
        super().__init__()
        self._field = Input(placeholder="deploy of 1.4.2", compact=True, max_length=_LONGEST)
        self._field.cursor_blink = False
        self._dialog = Vertical(classes="dialog")
        self._dialog.border_title = f"Mark {clock_time(wall_s)}"
        self._dialog.border_subtitle = Painted.glyphs.text("enter mark · esc cancel")
        self._why = Static(classes="error", markup=False)
        self.refusal = ""

    def compose(self) -> ComposeResult:
        """A line for the note."""
        with self._dialog:
            yield Static("What happened? It stands in the alert log and the recording; , and . stop at it.")
            yield self._field
            yield self._why

    def refuse(self, words: str) -> None:
        """Take no note any more, and say why."""
        self.refusal = words
        self.set_focus(None)
        self._field.disabled = True
        self._why.update(plain(words))
        self._why.add_class("-told")
        self._dialog.border_subtitle = "esc close"

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.dismiss(self._field.value.strip())
