"""What each metric was when changes began to count: kept apart, for the history of that time fades."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

from memdash.model.capability import Capability
from memdash.model.metric import Kind, Metric
from memdash.model.sample import Instant
from memdash.model.series import Series, Start

__all__ = ["SETTLING_S", "Starts", "started"]

SETTLING_S = 30.0
"""A program that has just started begins what it always has in that time."""


class Starts:
    """Those of the attach, and those of a baseline beside it. Whoever holds it lets one thread in at a time.

    What it has given away never changes.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics
        self._counters = tuple(metric.key for metric in metrics if metric.kind is Kind.COUNTER)
        self._counted: dict[str, float] = {}
        self._settles_until_s: float | None = None
        self._at_attach: Mapping[str, Start] = {}
        self._at_baseline: Mapping[str, Start] = {}
        self._baseline: Instant | None = None

    def take(self, at_s: float, values: Mapping[str, float], changed: Iterable[Capability]) -> None:
        """One sample, NaN where a metric is not known. Those of what has ``changed`` its source start anew. 10 µs."""
        if self._settles_until_s is None:
            self._settles_until_s = at_s + SETTLING_S
        if anew := set(changed):
            self._forget({metric.key for metric in self._metrics if metric.capability in anew})
        known = {key: value for key, value in values.items() if value == value}  # NaN is unlike itself
        counted = {key: known[key] for key in self._counters if key in known}
        lost = {key: self._counted[key] - now for key, now in counted.items() if now < self._counted.get(key, now)}
        self._counted |= counted
        self._at_attach = _taken(self._at_attach, known, lost, settles=at_s <= self._settles_until_s)
        if self._baseline is not None:
            self._at_baseline = _taken(self._at_baseline, known, lost, settles=False)

    def since(self, baseline: Instant | None, series: Callable[[str, float], Series]) -> Mapping[str, Start]:
        """Those of a baseline, of the attach where that is None; ``series`` has a metric from a moment on.

        What was not known then starts where it first is. A new baseline costs a look at the history of each metric.
        """
        if baseline != self._baseline:
            self._baseline = baseline
            self._at_baseline = {} if baseline is None else self._found(series, baseline.mono_s)
        return self._at_attach if baseline is None else self._at_baseline

    def _found(self, series: Callable[[str, float], Series], at_s: float) -> Mapping[str, Start]:
        found = {metric.key: started(series(metric.key, at_s), metric.kind) for metric in self._metrics}
        return {key: start for key, start in found.items() if start is not None}

    def _forget(self, keys: set[str]) -> None:
        self._counted = {key: value for key, value in self._counted.items() if key not in keys}
        self._at_attach = {key: start for key, start in self._at_attach.items() if key not in keys}
        self._at_baseline = {key: start for key, start in self._at_baseline.items() if key not in keys}


def started(series: Series, kind: Kind, settles_until_s: float = -math.inf) -> Start | None:
    """Where changes count from in a series that begins at the baseline; None where nothing of it is known."""
    known = series.known
    if not known:
        return None
    first = known[0][1]
    lost = sum(max(before - after, 0.0) for (_, before), (_, after) in pairwise(known)) if kind is Kind.COUNTER else 0.0
    return Start(first, max([first, *(value for seen_s, value in known if seen_s <= settles_until_s)]), lost)


def _taken(
    starts: Mapping[str, Start], known: Mapping[str, float], lost: Mapping[str, float], *, settles: bool
) -> Mapping[str, Start]:
    """With what is known for the first time, has gone back, or is more than ever while the program settles."""
    new = {key: Start(value, value, 0.0) for key, value in known.items() if key not in starts}
    for key, by in lost.items():
        if key in starts:
            new[key] = starts[key]._replace(lost=starts[key].lost + by)
    if settles:
        higher = {key: value for key, value in known.items() if key in starts and value > starts[key].settled}
        new |= {key: starts[key]._replace(settled=value) for key, value in higher.items()}
    return {**starts, **new} if new else starts
