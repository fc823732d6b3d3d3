"""Rises that were given back: what a program has done before without leaking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from memdash.analysis.points import Points
from memdash.analysis.trend import blocks, fall

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
    times_s, values = blocks(points.times_s, points.values, _BLOCKS, min)
    teeth = [*_teeth(times_s, values), *_small_teeth(times_s, values)]
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


def _small_teeth(times_s: Sequence[float], values: Sequence[float]) -> list[Tooth]:
    """Those on the back of a rise that stayed: from one turn of the course to the next.

    A turn is where it goes the other way by a quarter of the largest fall.
    """
    turn = fall(values) / 4
    if turn <= 0:
        return []
    turns = [0]
    extreme, up = 0, True
    for index, value in enumerate(values):
        if (value >= values[extreme]) if up else (value <= values[extreme]):
            extreme = index
        elif abs(value - values[extreme]) >= turn:
            turns.append(extreme)
            extreme, up = index, not up
    turns.append(extreme)
    highs = range(1, len(turns) - 1, 2)
    rises = [(turns[at - 1], turns[at], turns[at + 1]) for at in highs]
    return [
        Tooth(values[high] - values[low], times_s[high] - times_s[low])
        for low, high, after in rises
        if values[high] > values[low] and values[high] - values[after] >= _GIVEN_BACK * (values[high] - values[low])
    ]
