"""What checks: each rule is a value with a name and a ``check`` over the history."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from memdash.model.finding import Finding, NotYet, Severity
from memdash.model.metric import METRICS_BY_KEY, Metric
from memdash.model.series import Timeline
from memdash.units import MIB, duration, figure

__all__ = ["Growing", "Over", "Rule", "default_rules"]


class Rule(Protocol):
    """Something that checks. It holds no state: the history is all it sees."""

    @property
    def name(self) -> str:
        """Stable name, shown in the log and in the JSON document."""

    def check(self, history: Timeline) -> Finding | NotYet | None:
        """A finding while the condition holds, NotYet while there is too little to tell, None when all is well."""


def _held_over(history: Timeline, metric: Metric, limit: float, for_s: float) -> float | NotYet | None:
    """The newest value when every sample of the last ``for_s`` seconds lay over the limit."""
    series = history.series(metric.key, for_s + 1.0)
    held = list(zip(series.times_s, series.low, series.last, strict=True))
    if not held or math.isnan(held[-1][2]):
        return NotYet(f"{metric.label} is not known")
    if held[-1][0] - held[0][0] < for_s - series.spacing_s:
        return NotYet(f"{metric.label} has not been watched for {duration(for_s)}")
    if any(math.isnan(low) or low <= limit for _, low, _ in held):
        return None
    return held[-1][2]


@dataclass(frozen=True, slots=True)
class Over:
    """A metric over a fixed limit for at least ``for_s`` seconds, at every sample."""

    name: str
    metric: str
    limit: float
    for_s: float = 0.0
    severity: Severity = Severity.WARNING

    def check(self, history: Timeline) -> Finding | NotYet | None:
        """Look at the last ``for_s`` seconds."""
        metric = METRICS_BY_KEY[self.metric]
        value = _held_over(history, metric, self.limit, self.for_s)
        if not isinstance(value, float):
            return value
        for_words = f" for {duration(self.for_s)}" if self.for_s else ""
        return Finding(
            rule=self.name,
            severity=self.severity,
            at_s=history.until.wall_s,
            summary=f"{metric.label} {figure(value, metric.unit)} over {figure(self.limit, metric.unit)}{for_words}",
            evidence={"metric": metric.key, "value": value, "limit": self.limit, "for_s": self.for_s},
        )


@dataclass(frozen=True, slots=True)
class Growing:
    """A gauge that keeps rising faster than ``limit_per_s``, judged on its lows so that a sawtooth passes.

    The span is cut into quarters; each quarter's low must lie above the one before, and the rise from the first to the
    last must be fast enough.
    """

    name: str
    metric: str
    limit_per_s: float
    span_s: float = 120.0
    severity: Severity = Severity.WARNING

    def check(self, history: Timeline) -> Finding | NotYet | None:
        """Compare the lows of the four quarters of the span."""
        metric = METRICS_BY_KEY[self.metric]
        series = history.series(metric.key, self.span_s)
        known = [(t, low) for t, low in zip(series.times_s, series.low, strict=True) if not math.isnan(low)]
        if not known or known[-1][0] - known[0][0] < self.span_s - 2 * series.spacing_s:
            return NotYet(f"{metric.label} has not been watched for {duration(self.span_s)}")
        start_s = history.until.mono_s - self.span_s
        quarters: list[list[float]] = [[], [], [], []]
        for time_s, low in known:
            quarters[min(max(int(4 * (time_s - start_s) / self.span_s), 0), 3)].append(low)
        if not all(quarters):
            return NotYet(f"{metric.label} has gaps")
        lows = [min(quarter) for quarter in quarters]
        per_s = (lows[3] - lows[0]) / (0.75 * self.span_s)
        if any(later <= earlier for earlier, later in pairwise(lows)) or per_s <= self.limit_per_s:
            return None
        rate = f"{figure(per_s * 60, metric.unit)}/min"
        return Finding(
            rule=self.name,
            severity=self.severity,
            at_s=history.until.wall_s,
            summary=f"{metric.label} +{rate}: its low rose from {figure(lows[0], metric.unit)} to "
            f"{figure(lows[3], metric.unit)} in {duration(self.span_s)}",
            evidence={"metric": metric.key, "per_s": per_s, "limit_per_s": self.limit_per_s, "span_s": self.span_s},
        )


def default_rules() -> tuple[Rule, ...]:
    """What is watched without being asked: a growing live heap, pauses over 10 ms, the way to the cgroup's limit."""
    return (
        Growing("heap growth", "heap.live_bytes", MIB / 60),
        Over("gc pause", "gc.pause_recent_ns", 10_000_000),
        Over("cgroup headroom", "cgroup.used_ratio", 0.9, for_s=5.0),
        Over("cgroup limit near", "cgroup.used_ratio", 0.97, for_s=2.0, severity=Severity.CRITICAL),
    )
