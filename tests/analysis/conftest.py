"""A timeline written by hand."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import pytest

from memdash.model.sample import Instant
from memdash.model.series import Series, Start
from tests.fakes import NOON_S


class Written:
    """One value a second for each metric, the last one now; None is a gap."""

    def __init__(self, values: Mapping[str, Sequence[float | None]]) -> None:
        self._values = values
        self._length = length = max(map(len, values.values()))
        self.since = Instant(NOON_S - length + 1, 1000.0 - length + 1)
        self.until = Instant(NOON_S, 1000.0)
        self.baseline = self.since

    def series(self, key: str, span_s: float) -> Series:
        values = self._values.get(key, [None] * self._length)
        start_s = self.until.mono_s - len(values) + 1
        points = [(start_s + i, math.nan if v is None else float(v)) for i, v in enumerate(values)]
        kept = [(t, v) for t, v in points if t >= self.until.mono_s - span_s]
        times, column = array("d", (t for t, _ in kept)), array("d", (v for _, v in kept))
        return Series(times, times, column, column, column, 1.0)

    def start(self, key: str) -> Start | None:
        since_s = self.baseline.mono_s
        known = [point for point in self.series(key, self.until.mono_s - since_s).known if point[0] >= since_s]
        if not known:
            return None
        settled_s = since_s + 30 if self.baseline == self.since else since_s
        lost = sum(max(before - after, 0.0) for (_, before), (_, after) in pairwise(known))
        return Start(known[0][1], max([known[0][1], *(v for t, v in known if t <= settled_s)]), lost)


@pytest.fixture
def written() -> Callable[..., Written]:
    """Make a timeline from ``{metric key: values}``."""
    return Written
