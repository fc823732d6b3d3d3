"""The collections that a check has forced."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from memdash.commands import forcing
from memdash.commands.forcing import Forcing
from memdash.model.action import Action
from memdash.model.finding import NOTES, Finding, Severity
from memdash.model.snapshot import Snapshot, State
from memdash.session import Session
from memdash.session.gate import Gate
from tests.fakes import NOON_S, a_snapshot


class Forced:
    """A session that has collections forced, and a gate over it that never has enough."""

    def __init__(self, *deeds: Severity | None) -> None:
        self.deeds = list(deeds)
        self.asked: list[Action] = []
        self.shown = replace(a_snapshot(2), actions={Action.FORCE_GC: "runs a collection"}, findings=())
        self.gate = Gate(self.shown, (), warm_up_s=0.0, for_s=None)
        self.gate.take(self.shown)

    def snapshot(self) -> Snapshot:
        return self.shown

    def act(self, action: Action) -> None:
        self.asked.append(action)
        if (severity := self.deeds.pop(0)) is not None:
            told = Finding(
                rule=NOTES, severity=severity, at_s=NOON_S, summary="force GC: …", evidence={"action": action.value}
            )
            self.shown = replace(self.shown, findings=(told, *self.shown.findings))

    def run(self, for_s: float | None) -> str:
        return Forcing(cast("Session", self), self.gate).run(for_s)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forcing, "_APART_S", 0.0)
    monkeypatch.setattr(forcing, "_LOOK_S", 0.01)
    monkeypatch.setattr(forcing, "_PATIENCE_S", 0.1)


@pytest.mark.usefixtures("hasty")
def test_two_collections_are_forced_at_the_beginning_and_two_at_the_end() -> None:
    whole = Forced(*4 * [Severity.OK])
    whole.shown = replace(whole.shown, interval_s=0.01)
    assert whole.run(0.01) == ""
    assert (len(whole.asked), whole.gate.over.is_set()) == (4, True)
    open_ended = Forced(*2 * [Severity.OK])
    assert open_ended.run(None) == ""
    assert (len(open_ended.asked), open_ended.gate.over.is_set()) == (2, False)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("deeds", "words"),
    [
        ((Severity.OK, Severity.WARNING), "a collection could not be forced: force GC: …"),
        ((Severity.OK, None), "a forced collection was not over within 0.1 s"),
    ],
)
def test_a_collection_that_fails_or_hangs_cuts_the_check_short(deeds: tuple[Severity | None, ...], words: str) -> None:
    forced = Forced(*deeds)
    assert forced.run(0.01) == words
    assert forced.gate.over.is_set()
    assert forced.gate.checked(strict=False, cut_short=words).cut_short == words


@pytest.mark.usefixtures("hasty")
def test_no_collection_is_waited_for_once_the_target_has_ended() -> None:
    forced = Forced(Severity.OK, None)
    forced.gate.take(replace(forced.shown, state=State.ENDED))
    assert forced.run(0.01) == ""
    assert forced.asked == []
