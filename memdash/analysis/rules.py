"""What checks: each rule is a value with a name and a ``check`` over the history."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from memdash.analysis.points import newest_points, points
from memdash.analysis.trend import trend
from memdash.model.finding import Finding, NotYet, Severity
from memdash.model.metric import METRICS_BY_KEY, Metric
from memdash.model.series import Timeline
from memdash.units import Unit, byte_size, count, duration, figure, signed

__all__ = ["GrowingFast", "Grown", "Over", "PiledUp", "Rule", "default_rules"]

_FEWEST, _WIDER = 8, tuple(4**power for power in range(8))
"""Points without which growth has no rate, and how many times a span they are looked for: up to what is remembered."""

_TASKS = "tasks.total"
_SETTLING_S = 30.0
"""A program that has just started begins its tasks in that time."""


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
class GrowingFast:
    """The live heap grows faster than ``limit_per_s``, by the line through its floors of the last two minutes or so.

    Whatever it grows for: a warm-up as well as a leak, which is what the verdict tells apart.
    """

    name: str
    limit_per_s: float
    span_s: float = 120.0

    def check(self, history: Timeline) -> Finding | NotYet | None:
        """Fit the span, or the last eight collections where they take longer."""
        _, seen = newest_points(history, (times * self.span_s for times in _WIDER), _FEWEST)
        if len(seen) < _FEWEST or seen.window_s < 0.5 * self.span_s:
            return NotYet(f"{seen.basis.value} has not been watched for {duration(self.span_s)}")
        course = trend(seen)
        if course is None:
            return NotYet(f"{seen.basis.value} has only just changed its course")
        slope = course.line.slope.per_s
        if slope <= self.limit_per_s or course.growth_bytes <= course.fall_bytes:
            return None
        return Finding(
            rule=self.name,
            severity=Severity.WARNING,
            at_s=history.until.wall_s,
            summary=f"live heap {signed(60 * slope, Unit.BYTES, per='/min')} over "
            f"{byte_size(60 * self.limit_per_s)}/min: {seen.basis.value} rose by {byte_size(course.growth_bytes)} "
            f"in {duration(course.window_s)}",
            evidence={"per_s": slope, "limit_per_s": self.limit_per_s, "window_s": course.window_s},
        )


@dataclass(frozen=True, slots=True)
class Grown:
    """The live heap is more than ``limit_bytes`` larger than at the attach, or at the baseline that was set since."""

    name: str
    limit_bytes: float

    def check(self, history: Timeline) -> Finding | NotYet | None:
        """Compare the first value since then with the floor of the newest few: what is in use for a moment passes."""
        span_s = history.until.mono_s - history.baseline.mono_s
        seen = points(history, span_s)
        known = history.series(seen.basis.metric, span_s).known
        if len(seen) < 2 or not known:
            return NotYet(f"{seen.basis.value} has not been seen twice")
        before, now = known[0][1], min(seen.values[-3:])
        if now - before <= self.limit_bytes:
            return None
        return Finding(
            rule=self.name,
            severity=Severity.WARNING,
            at_s=history.until.wall_s,
            summary=f"live heap grew by {byte_size(now - before)}, over {byte_size(self.limit_bytes)}: "
            f"{seen.basis.value} was {byte_size(before)} and is {byte_size(now)}",
            evidence={"before": before, "value": now, "limit": self.limit_bytes},
        )


@dataclass(frozen=True, slots=True)
class PiledUp:
    """There are so many tasks more than at the attach, or the baseline set since, at every sample of ``for_s`` seconds.

    They are ``least`` more and more by the ``share`` of those there were. A load that lasts does that too, and when it
    passes the finding ends: it is worth a look, no proof. An attach is given half a minute to settle: what counts is
    the most there were until then.
    """

    name: str
    least: int
    share: float
    for_s: float

    def check(self, history: Timeline) -> Finding | NotYet | None:
        """Compare the first number since then with the fewest of late."""
        span_s = history.until.mono_s - history.baseline.mono_s
        if span_s < self.for_s:
            return NotYet(f"tasks have not been watched for {duration(self.for_s)}")
        known = history.series(_TASKS, span_s).known
        settled_s = history.since.mono_s + _SETTLING_S if history.baseline == history.since else 0.0
        before = max((value for seen_s, value in known if seen_s <= max(settled_s, known[0][0])), default=None)
        lately = [value for value in history.series(_TASKS, self.for_s).low if not math.isnan(value)]
        if before is None or not lately:
            return NotYet("tasks are not known")
        fewest = min(lately)
        if fewest - before < max(self.least, self.share * before):
            return None
        return Finding(
            rule=self.name,
            severity=Severity.WARNING,
            at_s=history.until.wall_s,
            summary=f"tasks pile up: {count(round(before))} at first, for {duration(self.for_s)} now no fewer than "
            f"{count(round(fewest))}",
            evidence={"metric": _TASKS, "before": before, "value": fewest, "for_s": self.for_s},
        )


def default_rules() -> tuple[Rule, ...]:
    """What is watched without being asked, beside the verdict: long pauses, the way to the cgroup's limit, tasks."""
    return (
        Over("gc pause", "gc.pause_recent_ns", 10_000_000),
        Over("cgroup headroom", "cgroup.used_ratio", 0.9, for_s=5.0),
        Over("cgroup limit near", "cgroup.used_ratio", 0.97, for_s=2.0, severity=Severity.CRITICAL),
        PiledUp("tasks pile up", least=50, share=0.5, for_s=60.0),
    )
