"""A session that publishes what a test wants, and keeps what it is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from memdash.model.action import Action
from memdash.model.finding import Finding, Severity
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.session.past import Past
from tests.fakes import NOON_S, a_sample, a_snapshot

__all__ = ["FakeSession", "TickingSession"]


class FakeSession:
    """Shows what it is given, and counts what it is asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.shown = snapshot
        self.listeners: list[Callable[[Snapshot], None]] = []
        self.started = 0
        self.baselines = 0
        self.cleared = 0
        self.asked: list[Action] = []
        self.doing: set[Action] = set()
        self.acknowledged: list[tuple[Finding, bool]] = []
        self.mutes: list[tuple[str, float]] = []
        self.noted: list[tuple[str, Severity]] = []
        self.closed = 0
        self.recorded: Maybe[Past] = Missing("nothing has been recorded yet")
        self.marked: list[tuple[str, Instant]] = []

    def start(self) -> None:
        self.started += 1

    def snapshot(self) -> Snapshot:
        return self.shown

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        self.listeners.append(listener)

        def leave() -> None:
            with suppress(ValueError):
                self.listeners.remove(listener)

        return leave

    def publish(self, snapshot: Snapshot) -> None:
        """Make ``snapshot`` the newest and tell everybody."""
        self.shown = snapshot
        for listener in tuple(self.listeners):
            listener(snapshot)

    @property
    def past(self) -> Maybe[Past]:
        return self.recorded

    def require_markable(self) -> None:
        pass

    def mark(self, note: str, then: Snapshot) -> None:
        self.marked.append((note, then.at))

    def mark_baseline(self, then: Snapshot | None = None) -> None:
        self.baselines += 1

    def clear_baseline(self) -> None:
        self.cleared += 1

    def acknowledge(self, finding: Finding, seen: bool = True) -> None:
        self.acknowledged.append((finding, seen))

    def mute(self, rule: str, for_s: float = math.inf) -> None:
        self.mutes.append((rule, for_s))

    def note(self, summary: str, severity: Severity = Severity.INFO) -> None:
        self.noted.append((summary, severity))

    def act(self, action: Action) -> None:
        self.asked.append(action)

    def is_doing(self, action: Action) -> bool:
        return action in self.doing

    def close(self) -> None:
        self.closed += 1


class TickingSession(FakeSession):
    """One whose samples come when a test says, from attaching on."""

    def __init__(self) -> None:
        super().__init__(replace(a_snapshot(1), state=State.ATTACHING))

    def tick(self, second: float, **changes: Any) -> None:
        """Publish the sample of that second; all but that is as it was before, or changed."""
        at = Instant(NOON_S + second, 10_000.0 + second)
        given: dict[str, Any] = {"state": State.LIVE, "at": at, "sample": a_sample(at)}
        self.publish(replace(self.shown, **(given | changes)))
