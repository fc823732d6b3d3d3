"""The process tree, to look at and to choose from."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from memdash.model.family import Family, Member
from memdash.model.missing import Maybe, Missing
from memdash.tables.family import family_table, member_key, totals_words, watched_row
from memdash.ui.widgets.table import TableView

__all__ = ["FamilyScreen"]

_LOOK_EVERY_S = 1.0


class FamilyScreen(Screen[Member | None]):
    """Follows the tree that ``family`` returns; enter ends it with the member under the cursor, esc with None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,T", "dismiss", show=False)]
    AUTO_FOCUS = "#family"

    def __init__(self, family: Callable[[], Maybe[Family]]) -> None:
        super().__init__()
        self._family = family
        self._shown = family()
        self._rows = TableView(id="family")

    def compose(self) -> ComposeResult:
        """The tree, framed."""
        yield self._rows

    def on_mount(self) -> None:
        """Begin at the process that is watched."""
        self.set_interval(_LOOK_EVERY_S, self._look)
        self._look()
        self.call_after_refresh(self._rows.move_to, watched_row(self._shown))

    def on_resize(self) -> None:
        """The frame may hold more words now, or fewer."""
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        self._shown = self._family()
        self._rows.show_table(family_table(self._shown))
        self._rows.entitle(f"Process tree · {totals_words(self._shown)}", "enter watch · j k move · esc back")

    @on(TableView.Chosen)
    def _choose(self, chosen: TableView.Chosen) -> None:
        members = () if isinstance(self._shown, Missing) else self._shown.members
        self.dismiss(next((member for member in members if member_key(member) == chosen.row.key), None))
