"""What the sites pane can show: rows ranked by their size, sorted and measured as a person wishes."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from memdash.tables.table import Row, Table
from memdash.ui.sorting import Sorting
from memdash.ui.watched import Watched

__all__ = ["Ranking"]

Order = TypeVar("Order", bound=Enum)


class Ranking(Sorting[Order]):
    """One kind of rows, in the order that a person wishes."""

    title: str
    tab: str
    capability: Capability

    @property
    def summary(self) -> str:
        """What is measured, of how much, and since when changes count; as of the table built last."""
        raise NotImplementedError

    def build(self, snapshot: Snapshot, wanted: str, built: Table) -> Table:
        """The rows that contain ``wanted``; ``built`` itself while nothing that it was made of has changed."""
        raise NotImplementedError

    def words(self, row: Row) -> str:
        """A row in full, to be copied."""
        raise NotImplementedError

    def frame(self, row: Row) -> Frame | None:
        """Where in the program a row is, if that can be said of it."""
        del row
        return None

    def screen(self, watched: Watched, row: Row) -> Screen[None]:
        """All there is to say about a row."""
        raise NotImplementedError

    def switch_time(self) -> str:
        """Between what is held and what was ever asked for; says why not when there is only one of them."""
        raise NotImplementedError

    def switch_unit(self) -> None:
        """Between bytes and objects."""
        raise NotImplementedError
