"""Bounded memory of samples: 1 s buckets, then 10 s, then 1 min, each with min, max, last and gaps.

Every sample goes into all three tiers at once (about 1.4 µs a metric, 80 µs for 57), so no tier waits for another to be
full and a spike of one sample survives in the coarsest one. Memory: 24 bytes a bucket and metric; all tiers full (three
days) hold up to 8 300 buckets: 0.19 MiB a metric, 11 to 12 MiB for 57.

What is read from another source may mean something else: HeapAlloc of a CPython counts what malloc holds once an agent
tells it. So where the source of a capability changes, its metrics start anew, and nothing compares across the step.
"""

from __future__ import annotations

import math
import threading
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from memdash.model.capability import Capability, Source
from memdash.model.metric import METRICS, Metric
from memdash.model.sample import Instant, Sample
from memdash.model.series import TIERS, Series, Start
from memdash.sampling.starts import Starts

__all__ = ["History", "HistoryView"]

_NOTHING = Series((), (), (), (), (), TIERS[0][0])


class _Bucket(NamedTuple):
    """The newest bucket of a tier, still being filled: a later sample makes another one, so a view may keep it.

    Lowest, highest and newest value by metric, of the samples from ``time_s`` to ``seen_s``.
    """

    time_s: float
    seen_s: float
    low: Mapping[str, float]
    high: Mapping[str, float]
    last: Mapping[str, float]

    def with_sample(self, time_s: float, values: Mapping[str, float]) -> _Bucket:
        """This bucket and one sample more; where the sample has NaN the bucket keeps what it has."""
        known = {key: value for key, value in values.items() if value == value}
        low = {key: value for key, value in known.items() if not value >= self.low[key]}
        high = {key: value for key, value in known.items() if not value <= self.high[key]}
        return _Bucket(
            time_s=self.time_s,
            seen_s=time_s,
            low={**self.low, **low},
            high={**self.high, **high},
            last={**self.last, **known},
        )


class _Tier:
    """Full buckets, column by column, and the open one; trimmed in blocks so that an append stays cheap."""

    def __init__(self, step_s: float, capacity: int, metrics: Sequence[Metric]) -> None:
        self.step_s = step_s
        self.capacity = capacity
        self.times_s = array("d")
        self.seen_s = array("d")
        self.low = {metric.key: array("d") for metric in metrics}
        self.high = {metric.key: array("d") for metric in metrics}
        self.last = {metric.key: array("d") for metric in metrics}
        self.open: _Bucket | None = None

    def add(self, time_s: float, values: Mapping[str, float]) -> None:
        if self.open is not None:
            if time_s // self.step_s == self.open.time_s // self.step_s:
                self.open = self.open.with_sample(time_s, values)
                return
            self._close(self.open)
        self.open = _Bucket(time_s, time_s, values, values, values)

    def _close(self, bucket: _Bucket) -> None:
        self.times_s.append(bucket.time_s)
        self.seen_s.append(bucket.seen_s)
        for columns, values in ((self.low, bucket.low), (self.high, bucket.high), (self.last, bucket.last)):
            for key, value in values.items():
                columns[key].append(value)
        if len(self.times_s) >= self.capacity + self.capacity // 8:
            self._trim()

    def _trim(self) -> None:
        excess = len(self.times_s) - self.capacity
        columns = (*self.low.values(), *self.high.values(), *self.last.values())
        for column in (self.times_s, self.seen_s, *columns):
            del column[:excess]

    def series(self, key: str, start_s: float, newest: _Bucket, spacing_s: float) -> Series:
        """The buckets that began from ``start_s`` on, up to ``newest``, which was the open one at some time."""
        first = bisect_left(self.times_s, start_s)
        after = max(bisect_left(self.times_s, newest.time_s), first)
        times_s, seen_s = self.times_s[first:after], self.seen_s[first:after]
        low, high, last = (columns[key][first:after] for columns in (self.low, self.high, self.last))
        if newest.time_s >= start_s:
            times_s.append(newest.time_s)
            seen_s.append(newest.seen_s)
            low.append(newest.low[key])
            high.append(newest.high[key])
            last.append(newest.last[key])
        return Series(times_s, seen_s, low, high, last, max(self.step_s, spacing_s))


class History:
    """Written by the sampler's thread, read by any: ``view()`` freezes it as of its newest sample."""

    def __init__(self, interval_s: float, metrics: Sequence[Metric] = METRICS) -> None:
        self._metrics = metrics
        self._interval_s = interval_s
        self._tiers = tuple(_Tier(step_s, capacity, metrics) for step_s, capacity in TIERS)
        self._lock = threading.Lock()
        self._since: Instant | None = None
        self._until = Instant(0.0, 0.0)
        self._sources: dict[Capability, Source] = {}
        self._capabilities = {metric.key: metric.capability for metric in metrics}
        self._began_s: Mapping[Capability, float] = {}
        self._starts = Starts(metrics)

    def append(self, sample: Sample) -> None:
        """Remember one sample. A metric that is Missing, or whose probe is failing, leaves a gap."""
        values = {metric.key: metric.seen(sample) for metric in self._metrics}
        sources = {capability: origin.source for capability, origin in sample.origins.items()}
        changed = [c for c, source in sources.items() if self._sources.get(c, source) is not source]
        self._sources |= sources
        with self._lock:
            for tier in self._tiers:
                tier.add(sample.at.mono_s, values)
            if changed:
                self._began_s = {**self._began_s, **dict.fromkeys(changed, sample.at.mono_s)}
            self._since = self._since or sample.at
            self._until = sample.at
            self._starts.take(sample.at.mono_s, values, changed)

    def view(self, baseline: Instant | None = None) -> HistoryView:
        """This history as of its newest sample; changes count from ``baseline``, or from its beginning."""
        with self._lock:
            newest = tuple(tier.open for tier in self._tiers)
            since = self._since or self._until
            starts = self._starts.since(baseline, lambda key, at_s: self._slice(key, at_s, newest, self._began_s))
            return HistoryView(self, since, self._until, newest, self._began_s, baseline or since, starts)

    def slice(
        self, key: str, start_s: float, newest: Sequence[_Bucket | None], began_s: Mapping[Capability, float]
    ) -> Series:
        """Buckets of ``key`` that began from ``start_s`` on, from the finest tier that still reaches back so far.

        ``newest`` is the last bucket to show of each tier, ``began_s`` where capabilities start anew.
        """
        with self._lock:
            return self._slice(key, start_s, newest, began_s)

    def _slice(
        self, key: str, start_s: float, newest: Sequence[_Bucket | None], began_s: Mapping[Capability, float]
    ) -> Series:
        start_s = max(start_s, began_s.get(self._capabilities[key], start_s))
        tiers = [(tier, bucket) for tier, bucket in zip(self._tiers, newest, strict=True) if bucket is not None]
        if not tiers:
            return _NOTHING
        begins_s = [min(tier.times_s[0] if tier.times_s else math.inf, bucket.time_s) for tier, bucket in tiers]
        number = next((n for n, begin_s in enumerate(begins_s) if begin_s <= start_s), None)
        tier, bucket = tiers[begins_s.index(min(begins_s)) if number is None else number]
        return tier.series(key, start_s, bucket, self._interval_s)


class HistoryView:
    """A Timeline: the history up to one moment, which later samples do not change."""

    def __init__(
        self,
        history: History,
        since: Instant,
        until: Instant,
        newest: Sequence[_Bucket | None],
        began_s: Mapping[Capability, float],
        baseline: Instant,
        starts: Mapping[str, Start],
    ) -> None:
        self._history = history
        self._newest = newest
        self._began_s = began_s
        self.since = since
        self.until = until
        self.baseline = baseline
        self._starts = starts

    def start(self, key: str) -> Start | None:
        """Where changes of a metric count from."""
        return self._starts.get(key)

    def series(self, key: str, span_s: float) -> Series:
        """The last ``span_s`` seconds before ``until``."""
        return self._history.slice(key, self.until.mono_s - span_s, self._newest, self._began_s)
