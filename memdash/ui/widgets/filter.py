"""The line in which a filter is typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

__all__ = ["FilterBar"]


class FilterBar(Input):
    """Says ``Typed`` at each change; enter keeps the filter, esc drops it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", show=False)]

    @dataclass
    class Typed(Message):
        """The filter as it stands; ``done`` once the line can go, ``given_up`` when it was dropped."""

        bar: FilterBar
        wanted: str
        done: bool = False
        given_up: bool = False

    def __init__(self, wanted: str, request: str = "text to look for; enter keeps it, esc drops it") -> None:
        super().__init__(wanted, placeholder=request, compact=True)
        self.cursor_blink = False

    def open(self, before: Widget) -> None:
        """Stand before another widget of the screen, and take what is typed from now on."""
        before.screen.mount(self, before=before)
        before.screen.set_focus(self)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(self, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Typed(self, event.value, done=True))

    def action_give_up(self) -> None:
        """Show all rows again."""
        self.post_message(self.Typed(self, "", done=True, given_up=True))
