"""Rises that were given back: what a program has done before without leaking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memdash.analysis.points import Points
from memdash.analysis.trend import blocks

__all__ = ["Tooth", "longest_tooth"]

_BLOCKS = 64
_GIVEN_BACK = 0.6


@dataclass(frozen=True, slots=True)
class Tooth:
    """A rise by so many bytes in so many seconds, most of which was given back."""

    bytes: float
    seconds: float


def longest_tooth(points: Points) -> Tooth | None:
    """The longest of them that was a quarter of the highest, since whenever these points began."""
    if len(points) < 3:
        return None
    teeth = _teeth(*blocks(points.times_s, points.values, _BLOCKS, min))
    highest = max((tooth.bytes for tooth in teeth), default=0.0)
    return max((t for t in teeth if t.bytes >= highest / 4), key=lambda tooth: tooth.seconds, default=None)


def _teeth(times_s: Sequence[float], values: Sequence[float]) -> list[Tooth]:
    found = []
    low_at = high_at = 0
    for index, value in enumerate(values):
        risen = values[high_at] - values[low_at]
        if value > values[high_at]:
            high_at = index
        elif risen > 0 and values[high_at] - value >= _GIVEN_BACK * risen:
            found.append(Tooth(risen, times_s[high_at] - times_s[low_at]))
            low_at = high_at = index
        if value < values[low_at]:
            low_at = high_at = index
    return found
