"""Alerts, and a watch whose log can be read."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from memdash.hooks.alert import Alert
from memdash.model.finding import Finding, Severity, Transition, TransitionKind
from tests.fakes import NOON_S, a_snapshot, a_target
from tests.sessions import FakeSession

SHOWN = a_snapshot(seconds=1)


class FakeWatch(FakeSession):
    """One that is told what its alerts did, and keeps the notes that hooks make with their evidence."""

    def __init__(self) -> None:
        super().__init__(SHOWN)
        self.notes: list[str] = []
        self.evidence: list[dict[str, float | str] | None] = []

    def note(
        self, summary: str, severity: Severity = Severity.INFO, evidence: dict[str, float | str] | None = None
    ) -> None:
        self.notes.append(summary)
        self.evidence.append(evidence)

    def fire(self, *transitions: Transition) -> None:
        """Publish the moment again, with what alerts did in it."""
        self.publish(replace(self.shown, transitions=transitions))


def transition(
    rule: str = "heap",
    severity: Severity = Severity.WARNING,
    kind: TransitionKind = TransitionKind.OPENED,
    **changes: Any,
) -> Transition:
    finding = Finding(rule=rule, severity=severity, at_s=NOON_S, summary=f"{rule} is over", **changes)
    return Transition(kind, finding)


@pytest.fixture
def watch() -> FakeWatch:
    return FakeWatch()


@pytest.fixture
def alert(watch: FakeWatch) -> Callable[..., Alert]:
    """An alert of ``watch``."""

    def make(rule: str = "heap", **changes: Any) -> Alert:
        return Alert(a_target(), watch.shown.at, transition(rule, **changes), watch)

    return make
