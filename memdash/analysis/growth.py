"""By how much memory has grown over a whole watch, however short: numbers for a budget, no judgement of what they mean.

Compared are floors, so that what is in use for a moment does not count: the lowest of the first fifth of the points and
the lowest of the last. No more than a fifth of the time counts for either: a heap that grows is collected ever more
seldom, and its last points reach far back. A point is the live heap after a collection that ran during the watch, so
what had been allocated before counts as before even where it was collected later. What goes up and down more slowly
than the watch is long looks as if it grew: no figure of a minute can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from memdash.analysis.known import WITHOUT_MALLOC
from memdash.analysis.points import Basis, Points, outside, points
from memdash.analysis.slopes import line
from memdash.analysis.trend import blocks
from memdash.model.finding import NotYet
from memdash.model.series import Timeline, watched_s
from memdash.model.verdict import Slope
from memdash.units import byte_size, duration, things

__all__ = ["Growth", "Rate", "allocated", "growths", "rates"]

_FEWEST = 4
"""Points of what is seen at each sample; two of what is seen at each collection are enough."""

_PART = 5
_FEWEST_OF_PART = 2
"""Collections, however far apart, where there are many."""

_FEWEST_FOR_RATE, _SHORTEST_FOR_RATE_S = 8, 10.0
_BLOCKS = 20


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes that ``basis`` held at first and at last, ``window_s`` apart; ``cycles`` collections ran meanwhile."""

    basis: str
    before: float
    now: float
    window_s: float
    cycles: int

    @property
    def bytes(self) -> float:
        """What has been added; negative when there is less."""
        return self.now - self.before

    @property
    def words(self) -> str:
        """``live heap after each GC was 12.1 MiB and is at least 45.8 MiB 58 s and 31 collections later``."""
        later = " and ".join([duration(self.window_s), *([_collections(self.cycles)] if self.cycles else [])])
        return f"{self.basis} was {byte_size(self.before)} and is at least {byte_size(self.now)} {later} later"


@dataclass(frozen=True, slots=True)
class Rate:
    """The line through the floors of ``basis`` over the whole watch, which held ``level_bytes`` at last."""

    basis: str
    slope: Slope
    window_s: float
    level_bytes: float

    @property
    def is_sure(self) -> bool:
        """Whether it rises beyond chance, and not only now and then."""
        return self.slope.low_per_s > 0


def growths(history: Timeline) -> tuple[Growth, ...] | NotYet:
    """That of the live heap, and of what is resident where the live heap is not all that the program allocates."""
    found = [growth for basis, seen in _bases(history) if (growth := _growth(basis, seen)) is not None]
    return tuple(found) or NotYet(f"{_seen_words(history)}, and growth takes more")


def rates(history: Timeline) -> tuple[Rate, ...] | NotYet:
    """The same as lines."""
    found = [rate for basis, seen in _bases(history) if (rate := _rate(basis, seen)) is not None]
    takes = f"{_FEWEST_FOR_RATE} within {duration(_SHORTEST_FOR_RATE_S)} or longer"
    return tuple(found) or NotYet(f"{_seen_words(history)}, and a rate takes {takes}")


def allocated(history: Timeline) -> float | None:
    """Bytes allocated over the watch, which bounds what can have been added to the heap; None where nobody counts."""
    known = history.series("TotalAlloc", watched_s(history)).known
    return known[-1][1] - known[0][1] if known and known[-1][1] >= known[0][1] else None


def _bases(history: Timeline) -> list[tuple[str, Points]]:
    """What it is judged on, with the words for it."""
    span_s = watched_s(history)
    inside, beside = points(history, span_s), outside(history, span_s)
    if beside is None:
        return [(inside.basis.value, inside)]
    return [(f"{inside.basis.value} {WITHOUT_MALLOC}", inside), (beside.basis.value, beside)]


def _growth(basis: str, seen: Points) -> Growth | None:
    fewest = 2 if seen.basis is Basis.CYCLES else _FEWEST
    if len(seen) < fewest:
        return None
    since_s, until_s, part_s = seen.times_s[0], seen.times_s[-1], seen.window_s / _PART
    first, last = seen.between(since_s, since_s + part_s), seen.since(until_s - part_s)
    most = max(len(seen) // _PART, 1)
    begin, end = (min(most, max(len(near), _FEWEST_OF_PART)) for near in (first, last))
    return Growth(basis, min(seen.values[:begin]), min(seen.values[-end:]), seen.window_s, seen.cycles)


def _rate(basis: str, seen: Points) -> Rate | None:
    if len(seen) < _FEWEST_FOR_RATE or seen.window_s < _SHORTEST_FOR_RATE_S:
        return None
    times_s, floors = blocks(seen.times_s, seen.values, _BLOCKS, min)
    fitted = line([time_s - times_s[0] for time_s in times_s], floors)
    return None if fitted is None else Rate(basis, fitted.slope, seen.window_s, floors[-1])


def _seen_words(history: Timeline) -> str:
    """Until a collection has ended nobody knows what lives."""
    seen, known_s = points(history, watched_s(history)), duration(watched_s(history))
    if seen.basis is Basis.CYCLES:
        return f"{_collections(len(seen))} ended in {known_s}"
    return f"{seen.basis.value} was seen {things(len(seen), 'time')} in {known_s}"


def _collections(number: int) -> str:
    return things(number, "collection") if number else "no collections"
