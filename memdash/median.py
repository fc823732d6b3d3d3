"""The median. The standard library's comes with decimal numbers, fractions and randomness: 0.7 MiB, and 10 ms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

__all__ = ["median", "median_low"]

T = TypeVar("T", int, float)


def median(values: Iterable[float]) -> float:
    """The middle one, or the mean of the two in the middle. ValueError when there is none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing has no median")
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def median_low(values: Iterable[T]) -> T:
    """The middle one, or the lower of the two in the middle. ValueError when there is none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing has no median")
    return ordered[(len(ordered) - 1) // 2]
