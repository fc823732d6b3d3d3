"""One metric over time, and what can be asked for it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from memdash.model.sample import Instant

__all__ = ["Courses", "Series", "Timeline", "watched_s"]


@dataclass(frozen=True, slots=True)
class Series:
    """Buckets of one metric, oldest first: parallel sequences of equal length.

    ``times_s`` are the buckets' first samples on the monotonic clock, ``seen_s`` their newest; ``low``, ``high`` and
    ``last`` what was seen in each. NaN marks a bucket in which the metric was Missing. ``spacing_s`` is the usual
    distance of two buckets: a larger one is a gap, to be drawn as one.
    """

    times_s: Sequence[float]
    seen_s: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    last: Sequence[float]
    spacing_s: float

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def known(self) -> list[tuple[float, float]]:
        """(when it was seen, last value) of the buckets that hold a value."""
        return [(t, v) for t, v in zip(self.seen_s, self.last, strict=True) if not math.isnan(v)]


class Timeline(Protocol):
    """A history as of one instant: later samples do not show in it, so a paused view stays as it is."""

    @property
    def until(self) -> Instant:
        """The newest moment it holds."""

    @property
    def since(self) -> Instant:
        """The oldest moment it holds."""

    @property
    def baseline(self) -> Instant:
        """The moment that changes are counted from: the attach, or one that a person chose."""

    def series(self, key: str, span_s: float) -> Series:
        """The last ``span_s`` seconds of the metric named ``key``, in the finest buckets that reach so far back."""


def watched_s(history: Timeline) -> float:
    """How much time it holds."""
    return history.until.mono_s - history.since.mono_s


class Courses(Protocol):
    """What the rows of a fact held over the whole watch, as of one instant."""

    def of(self, key: Hashable) -> Series:
        """The course of one row; empty when it was never among the largest, which alone are followed."""
