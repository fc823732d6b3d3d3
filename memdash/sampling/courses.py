"""What the largest rows of a fact held over the whole watch: bounded in rows and in length.

Buckets of equal length, each with the lowest, highest and newest size of every row; when there are too many of them,
two become one, and they go on twice as long. So hours are remembered as well as minutes, only more coarsely, and no
peak is lost. Memory: 24 bytes a row and bucket: 0.3 to 0.7 MiB a fact when all is full.
"""

from __future__ import annotations

import math
import threading
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Hashable, Mapping
from heapq import nlargest
from typing import Any, NamedTuple

from memdash.median import median
from memdash.model.sample import Instant
from memdash.model.series import Series

__all__ = ["CourseKeeper", "CourseView"]

_NAN = math.nan
_SHORTEST_S = 1.0
_DISTANCES = 9
"""So many of the newest distances between two readings tell how far apart they usually are."""


class _Open(NamedTuple):
    """The bucket that is being filled; each reading makes another one, so a view may keep it.

    Lowest, highest and newest size by row, at the readings from ``time_s`` to ``seen_s``.
    """

    time_s: float
    seen_s: float
    sizes: Mapping[Hashable, tuple[float, float, float]]


class _Columns(NamedTuple):
    low: array[float]
    high: array[float]
    last: array[float]


class CourseKeeper:
    """Follows the rows that were ever among the ``most`` largest lately. Written by one thread, read by any."""

    def __init__(self, most: int = 60, length: int = 240) -> None:
        self._most = most
        self._length = length
        self._lock = threading.Lock()
        self._step_s = _SHORTEST_S
        self._distances_s: deque[float] = deque(maxlen=_DISTANCES)
        self._times_s = array("d")
        self._seen_s = array("d")
        self._columns: dict[Hashable, _Columns] = {}
        self._open: _Open | None = None

    def add(self, at: Instant, sizes: Mapping[Any, int]) -> None:
        """Take in a reading; a row that is not in it holds nothing."""
        with self._lock:
            if self._open is not None:
                self._distances_s.append(at.mono_s - self._open.seen_s)
                if at.mono_s // self._step_s != self._open.time_s // self._step_s:
                    self._close(self._open)
                    self._open = None
            self._choose(sizes)
            self._open = self._with(self._open, at.mono_s, sizes)

    def _with(self, before: _Open | None, time_s: float, sizes: Mapping[Any, int]) -> _Open:
        held: dict[Hashable, tuple[float, float, float]] = {}
        for key in self._columns:
            size = float(sizes.get(key, 0))
            low, high, _ = (before.sizes.get(key) if before is not None else None) or (size, size, size)
            held[key] = (min(low, size), max(high, size), size)
        return _Open(time_s if before is None else before.time_s, time_s, held)

    def _choose(self, sizes: Mapping[Any, int]) -> None:
        """Follow the largest; of too many, drop those that hold least."""
        largest = nlargest(self._most, sizes, key=sizes.__getitem__)
        for key in largest:
            if key not in self._columns:
                self._columns[key] = _Columns(*(array("d", [_NAN]) * len(self._times_s) for _ in range(3)))
        if len(self._columns) > 2 * self._most:
            kept = set(largest)
            for key in [key for key in self._columns if key not in kept]:
                del self._columns[key]

    def _close(self, bucket: _Open) -> None:
        self._times_s.append(bucket.time_s)
        self._seen_s.append(bucket.seen_s)
        for key, columns in self._columns.items():
            for column, value in zip(columns, bucket.sizes.get(key, (_NAN, _NAN, _NAN)), strict=True):
                column.append(value)
        while len(self._times_s) >= self._length:
            self._halve()

    def _halve(self) -> None:
        """Make buckets twice as long."""
        self._step_s *= 2
        groups: list[list[int]] = []
        for index, time_s in enumerate(self._times_s):
            if groups and time_s // self._step_s == self._times_s[groups[-1][0]] // self._step_s:
                groups[-1].append(index)
            else:
                groups.append([index])
        for key, columns in self._columns.items():
            self._columns[key] = _Columns(
                array("d", [_least(columns.low, group) for group in groups]),
                array("d", [_most(columns.high, group) for group in groups]),
                array("d", [_newest(columns.last, group) for group in groups]),
            )
        self._seen_s = array("d", [self._seen_s[group[-1]] for group in groups])
        self._times_s = array("d", [self._times_s[group[0]] for group in groups])

    def view(self) -> CourseView:
        """All courses as of the newest reading."""
        with self._lock:
            return CourseView(self, self._open)

    def series(self, key: Hashable, newest: _Open | None) -> Series:
        """The buckets of a row up to ``newest``, which was the open one at some time; empty when it is not followed."""
        with self._lock:
            columns = self._columns.get(key)
            usual_s = median(self._distances_s) if self._distances_s else _SHORTEST_S
            spacing_s = max(self._step_s, usual_s)
            if columns is None or newest is None:
                return Series((), (), (), (), (), spacing_s)
            # What was put together since with later readings is left out.
            until = bisect_right(self._seen_s, newest.seen_s)
            times_s, seen_s = self._times_s[:until], self._seen_s[:until]
            low, high, last = (column[:until] for column in columns)
            if key in newest.sizes and not (seen_s and seen_s[-1] == newest.seen_s):
                times_s.append(newest.time_s)
                seen_s.append(newest.seen_s)
                for column, value in zip((low, high, last), newest.sizes[key], strict=True):
                    column.append(value)
            return Series(times_s, seen_s, low, high, last, spacing_s)

    def at(self, time_s: float, newest: _Open | None) -> dict[Hashable, float]:
        """What the rows held at the newest reading up to a moment, or at the first; those not followed then are out."""
        with self._lock:
            if newest is None:
                return {}
            until = bisect_right(self._seen_s, min(time_s, newest.seen_s))
            if newest.seen_s <= time_s or not self._seen_s:
                return {key: size for key, (_, _, size) in newest.sizes.items()}
            place = max(until - 1, 0)
            held = ((key, columns.last[place]) for key, columns in self._columns.items())
            return {key: size for key, size in held if not math.isnan(size)}


class CourseView:
    """The courses up to one reading, which later ones do not change."""

    def __init__(self, courses: CourseKeeper, newest: _Open | None) -> None:
        self._courses = courses
        self._newest = newest

    def of(self, key: Hashable) -> Series:
        """What a row held over the watch; empty when it was never among the largest."""
        return self._courses.series(key, self._newest)

    def at(self, time_s: float) -> dict[Hashable, float]:
        """What each row held at a moment of the monotonic clock, or at first; without those not followed then."""
        return self._courses.at(time_s, self._newest)


def _known(column: array[float], group: list[int]) -> list[float]:
    return [value for index in group if (value := column[index]) == value]  # without NaN


def _least(column: array[float], group: list[int]) -> float:
    return min(_known(column, group), default=_NAN)


def _most(column: array[float], group: list[int]) -> float:
    return max(_known(column, group), default=_NAN)


def _newest(column: array[float], group: list[int]) -> float:
    return next(iter(_known(column, group)[::-1]), _NAN)
