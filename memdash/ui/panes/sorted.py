"""A pane whose rows a person sorts by its columns."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Generic, TypeVar

from memdash.ui.panes.pane import TablePane

__all__ = ["SortedPane"]

Order = TypeVar("Order", bound=Enum)


class SortedPane(TablePane, Generic[Order]):
    """``orders`` are values that name a column by its key, the usual one first; ``by_name`` those that go from A to Z.

    Figures come large first, unless turned round.
    """

    def __init__(self, orders: Iterable[Order], by_name: frozenset[Order]) -> None:
        super().__init__()
        self._orders = tuple(orders)
        self._by_name = by_name
        self.order = self._orders[0]
        self.reversed = False

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The key of the column, and whether large comes first."""
        return self.order.value, (self.order in self._by_name) is self.reversed

    def sort_by(self, step: int) -> None:
        """Sort by the next (1) or previous (-1) of the columns in view."""
        in_view = {self.table.columns[index].key for index, _ in self.fit[0]}
        orders = [order for order in self._orders if order.value in in_view or order is self.order]
        self.order = orders[(orders.index(self.order) + step) % len(orders)]
        self.reversed = False

    def sort_by_column(self, key: str) -> None:
        """Sort by a clicked column; a second click turns it round. A column without an order has the usual one."""
        wanted = next((order for order in self._orders if order.value == key), self._orders[0])
        self.reversed = wanted is self.order and not self.reversed
        self.order = wanted
