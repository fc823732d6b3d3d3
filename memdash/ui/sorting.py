"""Rows that a person sorts by their columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum
from typing import Generic, TypeVar

__all__ = ["Sorting"]

Order = TypeVar("Order", bound=Enum)


class Sorting(Generic[Order]):
    """``orders`` are values that name a column by its key, the usual one first; ``by_name`` those that go from A to Z.

    Figures come large first, unless turned round.
    """

    def __init__(self, orders: Iterable[Order], by_name: Iterable[Order]) -> None:
        self._orders = tuple(orders)
        self._by_name = frozenset(by_name)
        self.order = self._orders[0]
        self.reversed = False

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The key of the column in force, and whether large comes first."""
        return self.order.value, (self.order in self._by_name) is self.reversed

    def sort_by(self, step: int, in_view: Collection[str]) -> None:
        """Sort by the next (1) or previous (-1) of the columns in view."""
        orders = [order for order in self._orders if order.value in in_view or order is self.order]
        self.order = orders[(orders.index(self.order) + step) % len(orders)]
        self.reversed = False

    def sort_by_column(self, key: str) -> None:
        """Sort by a clicked column; a second click turns it round. A column without an order has the usual one."""
        wanted = next((order for order in self._orders if order.value == key), self._orders[0])
        self.reversed = wanted is self.order and not self.reversed
        self.order = wanted

    def reverse(self) -> None:
        """Turn the order round."""
        self.reversed = not self.reversed
