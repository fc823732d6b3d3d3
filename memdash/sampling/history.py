"""Bounded memory of samples: 1 s buckets, then 10 s, then 1 min, each with min, max, last and gaps.

Every sample goes into all three tiers at once (about 60 µs for 45 metrics), so no tier waits for another to be full and
a spike of one sample survives in the coarsest one. Memory: 24 bytes a bucket and metric; all tiers full (three days)
hold about 8 500 buckets: 9 MiB for 45 metrics.
"""

from __future__ import annotations

import math
import threading
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from memdash.model.metric import METRICS, Metric
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Sample
from memdash.model.series import Series

__all__ = ["History", "HistoryView"]

TIERS = ((1.0, 900), (10.0, 2160), (60.0, 4320))
"""(bucket seconds, buckets kept): 15 minutes, 6 hours, 3 days."""

_NAN = math.nan


class _Tier:
    """Ring of buckets, column by column; trimmed in blocks so that an append stays cheap."""

    def __init__(self, step_s: float, capacity: int, metrics: Sequence[Metric]) -> None:
        self.step_s = step_s
        self.capacity = capacity
        self.times_s = array("d")
        self.low = {metric.key: array("d") for metric in metrics}
        self.high = {metric.key: array("d") for metric in metrics}
        self.last = {metric.key: array("d") for metric in metrics}
        self._bucket = -1

    def add(self, time_s: float, values: dict[str, float]) -> None:
        bucket = int(time_s // self.step_s)
        if bucket == self._bucket:
            for key, value in values.items():
                self._merge(key, value)
            return
        self._bucket = bucket
        self.times_s.append(time_s)
        for key, value in values.items():
            self.low[key].append(value)
            self.high[key].append(value)
            self.last[key].append(value)
        if len(self.times_s) >= self.capacity + self.capacity // 8:
            self._trim()

    def _merge(self, key: str, value: float) -> None:
        if value != value:  # NaN: the bucket keeps what it has
            return
        low, high = self.low[key], self.high[key]
        if not value >= low[-1]:
            low[-1] = value
        if not value <= high[-1]:
            high[-1] = value
        self.last[key][-1] = value

    def _trim(self) -> None:
        excess = len(self.times_s) - self.capacity
        for column in (self.times_s, *self.low.values(), *self.high.values(), *self.last.values()):
            del column[:excess]


class History:
    """Written by the sampler's thread, read by any: ``view()`` freezes it as of its newest sample."""

    def __init__(self, interval_s: float, metrics: Sequence[Metric] = METRICS) -> None:
        self._metrics = metrics
        self._interval_s = interval_s
        self._tiers = tuple(_Tier(step_s, capacity, metrics) for step_s, capacity in TIERS)
        self._lock = threading.Lock()
        self._since: Instant | None = None
        self._until = Instant(0.0, 0.0)

    def append(self, sample: Sample) -> None:
        """Remember one sample. A metric that is Missing, or whose probe is failing, leaves a gap."""
        values = {metric.key: self._value(metric, sample) for metric in self._metrics}
        with self._lock:
            for tier in self._tiers:
                tier.add(sample.at.mono_s, values)
            self._since = self._since or sample.at
            self._until = sample.at

    @staticmethod
    def _value(metric: Metric, sample: Sample) -> float:
        origin = sample.origins.get(metric.capability)
        if origin is None or origin.failing:
            return _NAN
        value = metric.read(sample)
        return _NAN if isinstance(value, Missing) else float(value)

    def view(self) -> HistoryView:
        """This history as of its newest sample."""
        return HistoryView(self, self._since or self._until, self._until)

    def slice(self, key: str, start_s: float, end_s: float) -> Series:
        """Buckets of ``key`` that began in [start_s, end_s], from the finest tier that still reaches back so far."""
        with self._lock:
            tier = next((t for t in self._tiers if t.times_s and t.times_s[0] <= start_s), None) or min(
                self._tiers, key=lambda t: (t.times_s[0] if t.times_s else math.inf, t.step_s)
            )
            first = bisect_left(tier.times_s, start_s)
            after = bisect_right(tier.times_s, end_s)
            return Series(
                tier.times_s[first:after],
                tier.low[key][first:after],
                tier.high[key][first:after],
                tier.last[key][first:after],
                max(tier.step_s, self._interval_s),
            )


class HistoryView:
    """A Timeline: the history up to one moment."""

    def __init__(self, history: History, since: Instant, until: Instant) -> None:
        self._history = history
        self.since = since
        self.until = until

    def series(self, key: str, span_s: float) -> Series:
        """The last ``span_s`` seconds before ``until``."""
        return self._history.slice(key, self.until.mono_s - span_s, self.until.mono_s)
