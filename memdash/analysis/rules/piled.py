"""Tasks that pile up."""

from __future__ import annotations

import math
from dataclasses import dataclass

from memdash.analysis.rules.rule import COOLDOWN_S
from memdash.model.finding import Figure, Finding, NotYet, Severity
from memdash.model.series import Timeline
from memdash.units import Unit, count, duration

__all__ = ["PiledUp"]

_TASKS = "tasks.total"


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
        return Finding(
            rule=self.name,
            severity=Severity.WARNING,
            at_s=history.until.wall_s,
            summary=f"tasks pile up: {count(round(before))} at first, for {duration(self.for_s)} now no fewer than "
            f"{count(round(fewest))}",
            measured=Figure(fewest, Unit.COUNT),
            evidence={"metric": _TASKS, "before": before, "value": fewest, "for_s": self.for_s},
        )
