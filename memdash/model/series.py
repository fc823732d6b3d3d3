"""One metric over time, and what can be asked for it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from memdash.model.sample import Instant

__all__ = ["HORIZONS_S", "REMEMBERED_S", "TIERS", "Courses", "Series", "Start", "Timeline", "watched_s"]

TIERS = ((1.0, 900), (10.0, 2160), (60.0, 4320))
"""What a history is made of, (bucket seconds, buckets kept): 15 minutes, 6 hours, 3 days."""

HORIZONS_S = tuple(bucket_s * kept for bucket_s, kept in TIERS)
"""How far back each of them reaches. A short one sees what has begun lately, a long one what is slow or rare."""

REMEMBERED_S = HORIZONS_S[-1]
"""How far back a history reaches at least, once there is so much."""


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


class Start(NamedTuple):
    """Where changes of one metric count from: its first ``value`` since the baseline.

    ``settled`` is the most that it was in the half minute after an attach, in which a program that has just started
    begins what it always has; after a baseline that a person chose it is the first value. ``lost`` is by how much the
    metric, a counter, has gone back in all since then: it has counted that as well.
    """

    value: float
    settled: float
    lost: float


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

    def start(self, key: str) -> Start | None:
        """Where changes of the metric named ``key`` count from, however long ago that is; None before it is known."""


def watched_s(history: Timeline) -> float:
    """How much time it holds."""
    return history.until.mono_s - history.since.mono_s


class Courses(Protocol):
    """What the rows of a fact held over the whole watch, as of one instant."""

    def of(self, key: Hashable) -> Series:
        """The course of one row; empty when it was never among the largest, which alone are followed."""
