"""What the shop remembers of its visitors."""

from __future__ import annotations

import time

LINES_EACH = 24
LINE_BYTES = 400


class Line:
    """One product in a basket."""

    __slots__ = ("note", "product", "quantity")

    def __init__(self, product: int, quantity: int) -> None:
        self.product = product
        self.quantity = quantity
        self.note = f"{product:08d}" * (LINE_BYTES // 8)


class Basket:
    """What one visitor has chosen."""

    def __init__(self, number: int) -> None:
        self.name = f"visit-{number:08d}"
        self.started_s = time.time()
        self.lines: list[Line] = []

    def fill(self) -> None:
        """Choose some products."""
        for place in range(LINES_EACH):
            self.lines.append(Line(place * 31, 1 + place % 3))


class Store:
    """Holds all baskets. It has no remove: that is the leak."""

    def __init__(self, limit_bytes: int) -> None:
        self._baskets: dict[str, Basket] = {}
        self._most = limit_bytes // (LINES_EACH * LINE_BYTES)

    def open(self, number: int) -> bool:
        """Remember a new visit, until the limit is reached; whether it was remembered."""
        if len(self._baskets) >= self._most:
            return False
        basket = Basket(number)
        basket.fill()
        self._baskets[basket.name] = basket
        return True
