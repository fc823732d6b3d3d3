"""What growth is judged on: the live heap after each collection, or the floor of what a program holds."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self

from memdash.analysis.resample import beside
from memdash.model.metric import LIVE_HEAP
from memdash.model.series import Series, Timeline, watched_s

__all__ = ["Basis", "Points", "newest_points", "outside", "points"]

_FULL = "gc.full_collections"
_RESIDENT, _SWAP = "system.rss_bytes", "system.swap_bytes"
_AT_REST = 1.0
"""Percent of a CPU, added to what is used: a program at rest that takes 0.2 % after 0.1 % is not twice as busy."""

_ENOUGH_FULL = 8
"""Full collections of a CPython from which they are judged alone: what is dead in cycles goes only with them."""


class Basis(Enum):
    """What the points are, in words that stand in sentences; ``metric`` is where they come from."""

    metric: str

    CYCLES = "live heap after each GC", LIVE_HEAP
    FULL = "live heap after full collections", LIVE_HEAP
    FLOOR = "floor of the live heap", LIVE_HEAP
    RESIDENT = "floor of RSS and swap", _RESIDENT

    def __new__(cls, words: str, metric: str) -> Self:
        """A member whose value is its words alone."""
        member = object.__new__(cls)
        member._value_ = words
        member.metric = metric
        return member


@dataclass(frozen=True, slots=True)
class Points:
    """Bytes over monotonic time, oldest first.

    ``loads`` says how busy the program was up to each: bytes allocated a second where that is counted, else percent of
    a CPU; NaN where it is not known.
    ``cycles`` counts the collections between the first and the last of them. ``is_at_like_load`` says that what the
    load explains of them has been taken out.
    """

    basis: Basis
    times_s: Sequence[float]
    values: Sequence[float]
    loads: Sequence[float]
    cycles: int
    is_at_like_load: bool = False

    def __len__(self) -> int:
        return len(self.times_s)

    def since(self, begin_s: float) -> Points:
        """Those from one moment on."""
        return self.between(begin_s, math.inf)

    def between(self, begin_s: float, end_s: float) -> Points:
        """Those from one moment to another, both included."""
        first, after = bisect_left(self.times_s, begin_s), bisect_right(self.times_s, end_s)
        share = max(after - first, 0) / max(len(self), 1)
        times_s, values, loads = (part[first:after] for part in (self.times_s, self.values, self.loads))
        return Points(self.basis, times_s, values, loads, round(self.cycles * share), self.is_at_like_load)

    @property
    def words(self) -> str:
        """What they are, in words."""
        return f"{self.basis.value} at like load" if self.is_at_like_load else self.basis.value

    @property
    def window_s(self) -> float:
        """From the first to the last."""
        return self.times_s[-1] - self.times_s[0] if self.times_s else 0.0


def points(history: Timeline, span_s: float) -> Points:
    """Those of the last ``span_s`` seconds, since the counters last went back. 0.3 ms for 900 buckets."""
    live, full, count, allocated, busy, resident, swap = _together(
        history, span_s, (LIVE_HEAP, _FULL, "NumGC", "TotalAlloc", "system.cpu_percent", _RESIDENT, _SWAP)
    )
    load = allocated if _has_values(allocated) else None
    if _has_values(full):
        after = _after_collections(Basis.FULL, live, full, load, busy)
        return after if len(after) >= _ENOUGH_FULL else _floor(Basis.FLOOR, live, busy, cycles=after.cycles)
    if _has_values(count):
        return _after_collections(Basis.CYCLES, live, count, load, busy)
    return _floor(Basis.RESIDENT, resident, busy, swap)


def outside(history: Timeline, span_s: float) -> Points | None:
    """What is resident, where the live heap is not all that the program itself allocates; None where it is.

    That of a CPython leaves out what malloc holds as long as no agent tells it.
    """
    full, malloc = history.series(_FULL, span_s), history.series("malloc.in_use_bytes", span_s)
    if not _has_values(full) or _has_values(malloc):
        return None
    resident, swap, busy = _together(history, span_s, (_RESIDENT, _SWAP, "system.cpu_percent"))
    return _floor(Basis.RESIDENT, resident, busy, swap)


def _together(history: Timeline, span_s: float, keys: Sequence[str]) -> list[Series]:
    """Series of the same buckets: a metric whose source has changed begins later than others, or with the next one."""
    found = [history.series(key, span_s) for key in keys]
    begins_s = [series.times_s[0] if len(series) else history.until.mono_s + 1.0 for series in found]
    if min(begins_s) < max(begins_s):
        return [history.series(key, history.until.mono_s - max(begins_s)) for key in keys]
    return found


def newest_points(history: Timeline, spans_s: Iterable[float], fewest: int) -> tuple[float, Points]:
    """The first of these spans, which get longer, that holds so many points or all that there are, else the last."""
    for span_s in spans_s:
        found = points(history, span_s)
        if len(found) >= fewest or span_s >= watched_s(history):
            break
    return span_s, found


def _has_values(series: Series) -> bool:
    return any(value == value for value in series.last)  # NaN is unlike itself


def _after_collections(basis: Basis, live: Series, count: Series, allocated: Series | None, busy: Series) -> Points:
    """A point for each bucket in which the number of collections rose."""
    times_s, values, loads = array("d"), array("d"), array("d")
    before, before_s, before_bytes, first = math.nan, 0.0, math.nan, math.nan
    load_of = allocated or busy
    others = beside(live, count, count.last), beside(live, load_of, load_of.last)
    rows = zip(live.seen_s, live.low, *others, strict=True)
    for time_s, value, number, load in rows:
        if number != number or value != value or number == before:
            continue
        if number > before and time_s > before_s:
            first = before if first != first else first
            times_s.append(time_s)
            values.append(value)
            loads.append((load - before_bytes) / (time_s - before_s) if allocated else load + _AT_REST)
        elif number < before:  # another program's counters, or a reset: what came before says nothing of it
            times_s, values, loads, first = array("d"), array("d"), array("d"), math.nan
        before, before_s, before_bytes = number, time_s, load
    return Points(basis, times_s, values, loads, 0 if first != first else int(before - first))


def _floor(basis: Basis, series: Series, busy: Series, added: Series | None = None, cycles: int = 0) -> Points:
    """Every bucket's low; what is swapped out is still held."""
    times_s, values, loads = array("d"), array("d"), array("d")
    others = beside(series, added or series, (added or series).low), beside(series, busy, busy.last)
    for time_s, low, more, load in zip(series.times_s, series.low, *others, strict=True):
        if low == low:
            times_s.append(time_s)
            values.append(low + more if added is not None and more == more else low)
            loads.append(load + _AT_REST)
    return Points(basis, times_s, values, loads, cycles)
