"""The products, loaded once, and offers that refer to each other in cycles and are made anew all the time."""

from __future__ import annotations

WORDS = ("red", "small", "wooden", "quiet", "round", "northern", "paper", "second")


class Product:
    """Something to buy."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"{WORDS[number % 8]} {WORDS[number // 8 % 8]} thing {number}"
        self.price = 1.0 + number * 7 % 100 / 4
        self.words = {word: word in self.name for word in WORDS}


class Offer:
    """A product at a price, and the offer to show after it."""

    def __init__(self, product: Product, price: float) -> None:
        self.product = product
        self.price = price
        self.following: Offer | None = None


class Catalogue:
    """``size`` products, held for good: memory that a healthy service simply has."""

    def __init__(self, size: int) -> None:
        self.products = [Product(number) for number in range(size)]
        self.offers: list[Offer] = []
        self.renew(0)

    def renew(self, season: int) -> None:
        """Make the offers anew. Each points to the next in a ring, so that only the collector can free the old ones."""
        chosen = self.products[season % 7 :: 7]
        self.offers = [Offer(product, product.price * 0.9) for product in chosen]
        for offer, following in zip(self.offers, [*self.offers[1:], self.offers[0]], strict=True):
            offer.following = following
