"""Metrics over time as a recording keeps them: buckets of 1 s, 10 s and 1 min, each with lowest, highest and newest.

They stand beside the moments, so that a chart of a day opens without reading these.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from memdash.model.series import TIERS
from memdash.recording.columns import column, dense, uncolumn
from memdash.recording.shapes import Plain

__all__ = ["STEPS_S", "Buckets", "bucketed", "joined"]

STEPS_S = tuple(int(step_s) for step_s, _ in TIERS)
"""The same grid as that of a live history. Another one raises ``tables.VERSION``."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Those of one stretch, oldest first: when each begins, its newest sample, and by metric low, high and last.

    Seconds on the monotonic clock. A metric of which nothing was seen is not there.
    """

    times_s: Sequence[float]
    seen_s: Sequence[float]
    columns: Mapping[str, Sequence[Plain]]
    """By metric: (low, high, last) as columns, one that is None is the same as ``last``."""

    def tree(self, keys: Sequence[str]) -> Plain:
        """As what is written, in the order of ``keys``."""
        columns = [self.columns.get(key) for key in keys]
        return [len(self.times_s), column(list(self.times_s)), column(list(self.seen_s)), columns]

    @classmethod
    def of(cls, tree: Plain, keys: Sequence[str]) -> Buckets:
        """What was written. Raises one of UNREADABLE."""
        number, times_s, seen_s, columns = tree
        known = {key: list(map(dense, cells)) for key, cells in zip(keys, columns, strict=True) if cells is not None}
        return cls(array("d", uncolumn(times_s, number)), array("d", uncolumn(seen_s, number)), known)

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return 8 * len(self.times_s) * (2 + 3 * len(self.columns))

    def metric(self, key: str) -> tuple[Sequence[float], Sequence[float], Sequence[float]]:
        """Low, high and last of one metric, NaN where nothing was seen. Raises one of UNREADABLE."""
        number = len(self.times_s)
        if key not in self.columns:
            nothing = [math.nan] * number
            return nothing, nothing, nothing
        low, high, last = self.columns[key]
        newest = uncolumn(last, number)
        return (
            newest if low is None else uncolumn(low, number),
            newest if high is None else uncolumn(high, number),
            newest,
        )


def bucketed(step_s: int, keys: Sequence[str], samples: Iterable[tuple[float, Sequence[float]]]) -> Buckets:
    """Samples (monotonic time, a value for each key), oldest first, in buckets of ``step_s``."""
    grouped = [list(bucket) for _, bucket in groupby(samples, key=lambda sample: sample[0] // step_s)]
    times_s, seen_s = [bucket[0][0] for bucket in grouped], [bucket[-1][0] for bucket in grouped]
    columns: dict[str, Sequence[Plain]] = {}
    for place, key in enumerate(keys):
        cells = [[values[place] for _, values in bucket if values[place] == values[place]] for bucket in grouped]
        if any(cells):
            columns[key] = _three(cells)
    return Buckets(times_s, seen_s, columns)


def _three(cells: Sequence[Sequence[float]]) -> Sequence[Plain]:
    low, high, last = ([pick(cell) if cell else math.nan for cell in cells] for pick in (min, max, _newest))
    return _written(low, high, last)


def _written(low: list[float], high: list[float], last: list[float]) -> Sequence[Plain]:
    """As ``Buckets`` has a metric."""
    return [*(None if _alike(side, last) else column(side) for side in (low, high)), column(last)]


def _newest(cell: Sequence[float]) -> float:
    return cell[-1]


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a == b or a != a for a, b in zip(one, other, strict=True))


def joined(parts: Sequence[Buckets]) -> Buckets:
    """Several stretches as one."""
    keys = dict.fromkeys(key for part in parts for key in part.columns)
    times_s = [time_s for part in parts for time_s in part.times_s]
    seen_s = [time_s for part in parts for time_s in part.seen_s]
    columns: dict[str, Sequence[Plain]] = {}
    for key in keys:
        sides = zip(*(part.metric(key) for part in parts), strict=True)
        columns[key] = _written(*(list(chain.from_iterable(side)) for side in sides))
    return Buckets(times_s, seen_s, columns)
