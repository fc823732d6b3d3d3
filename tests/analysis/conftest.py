"""A timeline written by hand."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence

import pytest

from memdash.model.sample import Instant
from memdash.model.series import Series
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


@pytest.fixture
def written() -> Callable[..., Written]:
    """Make a timeline from ``{metric key: values}``."""
    return Written
