"""What of a profile is shown: four expressions, as pprof takes them."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from memdash.errors import UsageError
from memdash.plain import plain
from memdash.pprof.filters import Filters
from memdash.pprof.pattern import Pattern, compiled
from memdash.ui.widgets.paint import Painted

__all__ = ["FiltersScreen"]

_FIELDS = {
    "focus": "keep the stacks with a frame that matches",
    "ignore": "leave out the stacks with a frame that matches",
    "hide": "leave out the frames that match",
    "show": "keep only the frames that match",
}


class FiltersScreen(ModalScreen[Filters]):
    """Asks for the expressions, those in force being there already; None when a person changed nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("ctrl+r", "clear", show=False, priority=True),
    ]
    AUTO_FOCUS = "#focus"

    def __init__(self, filters: Filters) -> None:
        super().__init__()
        given = filters.given
        self._inputs = {
            name: Input(given[name].text if name in given else "", id=name, compact=True, placeholder=words)
            for name, words in _FIELDS.items()
        }
        self._errors = {name: Static("", classes="error", markup=False) for name in _FIELDS}

    def compose(self) -> ComposeResult:
        """A field a line, each with room for what is wrong with it."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Filters"
            dialog.border_subtitle = Painted.glyphs.text("enter apply · ctrl+r clear all · esc cancel")
            yield Static("Regular expressions, looked for in function, file and binary.", markup=False)
            for name, field in self._inputs.items():
                field.cursor_blink = False
                with Horizontal():
                    yield Static(name, classes="label")
                    yield field
                yield self._errors[name]

    @on(Input.Changed)
    def _forgive(self, changed: Input.Changed) -> None:
        self._tell(changed.input.id or "", "")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        """Give the expressions back, or say at its field what is wrong with the first that is none."""
        found: dict[str, Pattern] = {}
        for name, field in self._inputs.items():
            try:
                if field.value:
                    found[name] = compiled(field.value)
            except UsageError as error:
                self._tell(name, plain(f"{error.what}; {error.hint}"))
                field.focus()
                return
        self.dismiss(Filters(**found))

    def action_clear(self) -> None:
        """Empty all fields."""
        for field in self._inputs.values():
            field.value = ""

    def _tell(self, name: str, words: str) -> None:
        error = self._errors[name]
        error.update(words)
        error.set_class(bool(words), "-told")
