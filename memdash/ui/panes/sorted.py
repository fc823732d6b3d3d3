"""Panes whose rows a person sorts by their columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum
from typing import Any, Generic, TypeVar

from textual.screen import Screen

from memdash.model.snapshot import Snapshot
from memdash.ui.panes.pane import TablePane

__all__ = ["SortedPane", "Sorting"]

Order = TypeVar("Order", bound=Enum)


class Sorting(Generic[Order]):
    """``orders`` are the ways to sort, whose values are keys of columns, the first of them the usual one.

    Those in ``names`` begin at A, all others with the largest.
    """

    def __init__(self, orders: Iterable[Order], names: Iterable[Order]) -> None:
        self._orders = tuple(orders)
        self._names = frozenset(names)
        self.order = self._orders[0]
        self.reversed = False

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The key of the column in force, and whether large comes first."""
        return self.order.value, (self.order in self._names) is self.reversed

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


class SortedPane(TablePane):
    """Passes the keys that sort on to its ``sorting``, which may change with what is shown."""

    @property
    def sorting(self) -> Sorting[Any]:
        """How its rows are sorted now."""
        raise NotImplementedError

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """Figures come large first, names from A to Z, unless turned round."""
        return self.sorting.sorted_by

    def screen_of_row(self, snapshot: Snapshot) -> Screen[None] | None:
        """All there is to say about the row under the cursor."""
        raise NotImplementedError

    def sort_by(self, step: int) -> None:
        """Sort by the next (1) or previous (-1) of the columns in view."""
        self.sorting.sort_by(step, {self.table.columns[index].key for index, _ in self.fit[0]})

    def sort_by_column(self, key: str) -> None:
        """Sort by a clicked column; a second click turns it round."""
        self.sorting.sort_by_column(key)

    def reverse(self) -> None:
        """Turn the order round."""
        self.sorting.reversed = not self.sorting.reversed
