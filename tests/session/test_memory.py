"""What a watch remembers, and what it makes of a rule that goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.analysis.rules import Over
from memdash.model.finding import Finding
from memdash.model.sample import Instant
from memdash.model.series import Timeline
from memdash.session.memory import Memory
from tests.fakes import NOON_S, a_sample, a_snapshot


@dataclass(frozen=True)
class Broken:
    """memdash's own code goes wrong in it."""

    name: str = "broken"

    def check(self, history: Timeline) -> Finding | None:
        raise ZeroDivisionError("by zero")


def test_a_rule_that_goes_wrong_is_told_once_and_costs_no_other() -> None:
    memory, shown = Memory(1.0, (Broken(), Over("heap", "HeapAlloc", 1.0))), a_snapshot(1)
    for second in range(3):
        shown = memory.add(shown, a_sample(Instant(NOON_S + second, 20_000.0 + second)))
    assert sorted(finding.rule for finding in shown.findings) == ["heap", "memdash"]
    (told,) = (finding.summary for finding in shown.findings if finding.rule == "memdash")
    assert told == "the rule broken cannot check: a defect of memdash: ZeroDivisionError: by zero"
