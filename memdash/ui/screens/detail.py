"""Any text in full."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from memdash.ui.widgets.words import Part, TextView

__all__ = ["TextScreen"]


class TextScreen(Screen[None]):
    """A titled text over the whole screen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", show=False)]

    def __init__(self, title: str, text: str = "") -> None:
        super().__init__()
        self._title = title
        self._words = text
        self._text = TextView(id="text")

    def compose(self) -> ComposeResult:
        """The text, framed."""
        yield self._text

    def on_resize(self, event: events.Resize) -> None:
        """Wrap anew."""
        self._text.entitle(self._title, "j k scroll · esc back")
        self._text.show_lines(self.lines(event.size.width - 4))

    def lines(self, width: int) -> Sequence[Sequence[Part]]:
        """The text in lines of at most ``width`` cells."""
        paragraphs = self._words.split("\n")
        return [[Part(line)] for paragraph in paragraphs for line in wrap(paragraph, max(width, 20)) or [""]]
