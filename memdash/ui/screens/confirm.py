"""The question before anything is done to the target; only Cancel is one key away."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from memdash.plain import plain
from memdash.ui.widgets.paint import Painted

__all__ = ["Confirm"]


class Confirm(ModalScreen[bool]):
    """``question`` asks for a yes, ``words`` say what that does to the target, ``yes`` is the word on the button.

    True when a person chose that.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "dismiss(False)", show=False),
        Binding("left,up,h,k", "app.focus_previous", show=False),
        Binding("right,down,l,j", "app.focus_next", show=False),
    ]
    AUTO_FOCUS = "#cancel"

    def __init__(self, question: str, words: str, yes: str) -> None:
        super().__init__()
        self._question = question
        self._words = words
        self._yes = yes

    def compose(self) -> ComposeResult:
        """A framed question over the dashboard; whom it names may be called anything."""
        with Vertical(id="question") as question:
            question.border_title = Content(plain(self._question))
            question.border_subtitle = Painted.glyphs.text("← → choose · enter · esc cancel")
            yield Static(f"{self._words.rstrip('.')}.", markup=False)
            with Horizontal():
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(self._yes, id="go", compact=True)

    @on(Button.Pressed)
    def _answered(self, pressed: Button.Pressed) -> None:
        self.dismiss(pressed.button.id == "go")
