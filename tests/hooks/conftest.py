"""Alerts, and a watch whose log can be read."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from memdash.hooks.alert import Alert
from memdash.model.finding import Finding, Severity, Transition, TransitionKind
from memdash.model.snapshot import Snapshot
from tests.fakes import NOON_S, a_snapshot, a_target

SHOWN = a_snapshot(seconds=1)


@dataclass
class FakeWatch:
    """Publishes what a test wants, and keeps the notes."""

    notes: list[str] = field(default_factory=list)
    evidence: list[Any] = field(default_factory=list)
    listeners: list[Callable[[Snapshot], None]] = field(default_factory=list)
    shown: Snapshot = SHOWN

    def snapshot(self) -> Snapshot:
        return self.shown

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def note(
        self, summary: str, severity: Severity = Severity.INFO, evidence: dict[str, float | str] | None = None
    ) -> None:
        self.notes.append(summary)
        self.evidence.append(evidence)

    def publish(self, *transitions: Transition) -> None:
        self.shown = replace(self.shown, transitions=transitions)
        for listener in tuple(self.listeners):
            listener(self.shown)


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
