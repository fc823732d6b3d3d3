"""The rule that people write: a condition, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.analysis.rules.condition import Condition
from memdash.analysis.rules.measure import measured
from memdash.analysis.rules.measured import Measured
from memdash.analysis.rules.rule import COOLDOWN_S
from memdash.model.finding import Finding, NotYet, Severity
from memdash.model.series import Timeline
from memdash.units import duration

__all__ = ["Threshold"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A finding for as long as ``when`` holds.

    With ``clear`` it lasts until the figure is back at that, so that it does not flicker at the bound.
    """

    name: str
    when: Condition
    severity: Severity = Severity.WARNING
    cooldown_s: float = COOLDOWN_S
    clear: float | None = None

    def check(self, history: Timeline, held: Finding | None = None, /) -> Finding | NotYet | None:
        """Measure, and hold it against the bound, or against ``clear`` once it has been beyond that."""
        found = measured(self.when, history)
        if isinstance(found, NotYet):
            return found
        when = self.when
        if held is not None:
            holds = when.op.holds(found.newest, when.bound if self.clear is None else self.clear)
        else:
            holds = when.op.holds(found.deciding, when.bound)
        return self.told(history, found) if holds else None

    def told(self, history: Timeline, found: Measured) -> Finding:
        """What is said of a figure, whether it is beyond the bound or not."""
        when = self.when
        for_words = f" for {duration(when.for_s)}" if when.for_s else ""
        bound = found.figure.at(when.bound).words
        return Finding(
            rule=self.name,
            severity=self.severity,
            at_s=history.until.wall_s,
            summary=f"{found.subject} {found.figure.words} {when.op.word} {bound}{for_words}{found.detail}",
            measured=found.figure,
            evidence={
                "metric": when.metric,
                "when": str(when),
                "value": found.figure.value,
                "limit": when.bound,
                "for_s": when.for_s,
                **found.evidence,
            },
        )
