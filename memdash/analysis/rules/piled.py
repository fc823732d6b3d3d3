"""Tasks that pile up."""

from __future__ import annotations

import math
from dataclasses import dataclass

from memdash.analysis.rules.rule import COOLDOWN_S
from memdash.model.finding import Figure, Finding, NotYet, Severity
from memdash.model.series import Timeline
from memdash.units import Unit, count, duration

__all__ = ["PiledUp"]

_TASKS, _FILES = "tasks.total", "system.fds"

_OF_A_CONNECTION = 8
"""As many tasks each open file may have for itself: a stream of gRPC through a gateway has six."""


@dataclass(frozen=True, slots=True)
class PiledUp:
    """There are so many tasks more than at the attach, or the baseline set since, at every sample of ``for_s`` seconds.

    They are ``least`` more and more by the ``share`` of those there were. A load that lasts does that too, and when it
    passes the finding ends: it is worth a look, no proof. An attach is given half a minute to settle: what counts is
    the most there were until then. What came with as many open files as may be their connections is told as no warning.
    """

    name: str
    least: int
    share: float
    for_s: float
    cooldown_s: float = COOLDOWN_S

    def check(self, history: Timeline, _held: Finding | None = None, /) -> Finding | NotYet | None:
        """Compare the number at that time with the fewest of late."""
        span_s = history.until.mono_s - history.baseline.mono_s
        if span_s < self.for_s:
            return NotYet(f"tasks have not been watched for {duration(self.for_s)}")
        start = history.start(_TASKS)
        lately = [value for value in history.series(_TASKS, self.for_s).low if not math.isnan(value)]
        if start is None or not lately:
            return NotYet("tasks are not known")
        before, fewest = start.settled, min(lately)
        if fewest - before < max(self.least, self.share * before):
            return None
        files = self._new_files(history)
        are_served = fewest - before <= _OF_A_CONNECTION * files
        with_files = f", with {count(round(files))} open files more: they may serve connections" if are_served else ""
        return Finding(
            rule=self.name,
            severity=Severity.INFO if are_served else Severity.WARNING,
            at_s=history.until.wall_s,
            summary=f"tasks pile up: {count(round(before))} at first, for {duration(self.for_s)} now no fewer than "
            f"{count(round(fewest))}{with_files}",
            measured=Figure(fewest, Unit.COUNT),
            evidence={"metric": _TASKS, "before": before, "value": fewest, "for_s": self.for_s},
        )

    def _new_files(self, history: Timeline) -> float:
        """How many open files more there are all the while than there were at first, 0 where that is not known."""
        start = history.start(_FILES)
        lately = [value for value in history.series(_FILES, self.for_s).low if not math.isnan(value)]
        return max(min(lately) - start.settled, 0.0) if start and lately else 0.0
