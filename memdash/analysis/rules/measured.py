"""What has been measured for a condition, and what each way of measuring is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from memdash.analysis.rules.condition import Condition
from memdash.model.finding import Figure

__all__ = ["Measured", "figure_of", "looks_s", "mildest", "mildest_look", "risen", "wider_s"]

_LOOKS = 4
"""Growth that must hold for a time is looked at so many times in it, and now."""


@dataclass(frozen=True, slots=True)
class Measured:
    """``figure`` is what it is now; ``newest`` is its value, 0 where more is worse and no growth is sure.

    ``deciding`` is the mildest that it has been in the condition's ``for_s``: while that is beyond the bound, all is.
    It is NaN where that is not known. ``subject`` and ``detail`` stand before and after the figure in a sentence.
    """

    figure: Figure
    newest: float
    deciding: float
    subject: str
    detail: str = ""
    evidence: Mapping[str, float | str] = field(default_factory=dict)


def figure_of(condition: Condition, value: float) -> Figure:
    """A value of what the condition is about."""
    return Figure(value, condition.of.unit, condition.per, signed=condition.grows, sinks=not condition.op.is_upper)


def mildest(condition: Condition, values: Sequence[float]) -> float:
    """The one that is furthest from breaking it."""
    return min(values) if condition.op.is_upper else max(values)


def looks_s(condition: Condition, until_s: float) -> list[float]:
    """The moments to look at so that it holds for its time, newest first: one alone where it need not."""
    steps = range(_LOOKS + 1) if condition.for_s else range(1)
    return [until_s - step * condition.for_s / _LOOKS for step in steps]


def mildest_look(condition: Condition, values: Iterable[float]) -> float:
    """The mildest of them, or the first that is not beyond the bound: no more are asked for than it takes to tell."""
    seen = []
    for value in values:
        if not condition.op.holds(value, condition.bound):
            return value
        seen.append(value)
    return mildest(condition, seen)


def wider_s(span_s: float) -> Iterator[float]:
    """A span and longer ones, to look for what is rare: from 4 seconds on up to all that is remembered."""
    return (span_s * 4**power for power in range(9))


def risen(known: Sequence[tuple[float, float]]) -> float:
    """By how much a counter rose; where it went back it was another program's, or a reset."""
    return sum(max(after[1] - before[1], 0.0) for before, after in pairwise(known))
