"""What the sites pane can show: rows ranked by their size, sorted and measured as a person wishes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum
from typing import Generic, TypeVar

from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.snapshot import Snapshot
from memdash.tables.table import Row, Table

__all__ = ["Ranking"]

Order = TypeVar("Order", bound=Enum)


class Ranking(Generic[Order]):
    """``orders`` are the ways to sort, whose values are keys of columns, the first of them the usual one.

    Those in ``names`` begin at A, all others with the largest.
    """

    title: str
    tab: str
    capability: Capability

    def __init__(self, orders: Iterable[Order], names: Iterable[Order]) -> None:
        self._orders = tuple(orders)
        self._names = frozenset(names)
        self.order = self._orders[0]
        self.reversed = False

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The key of the column in force, and whether large comes first."""
        return self.order.value, (self.order in self._names) is self.reversed

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

    def screen(self, snapshot: Snapshot, row: Row) -> Screen[None]:
        """All there is to say about a row."""
        raise NotImplementedError

    def switch_time(self) -> str:
        """Between what is held and what was ever asked for; says why not when there is only one of them."""
        raise NotImplementedError

    def switch_unit(self) -> None:
        """Between bytes and objects."""
        raise NotImplementedError

    def sort_by(self, step: int, in_view: Collection[str]) -> None:
        """Sort by the next (1) or previous (-1) of the columns in view."""
        orders = [order for order in self._orders if order.value in in_view or order is self.order]
        self.order = orders[(orders.index(self.order) + step) % len(orders)]
        self.reversed = False

    def sort_by_column(self, key: str) -> None:
        """Sort by a clicked column; a second click turns it round."""
        wanted = next((order for order in self._orders if order.value == key), self._orders[0])
        self.reversed = wanted is self.order and not self.reversed
        self.order = wanted
