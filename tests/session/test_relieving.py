"""A watch passes on what is to be done to its target by itself, and goes on when that goes wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from memdash.analysis.relief import Reliever
from memdash.commands.relief import warns_of_relief
from memdash.commands.watching import notes_told
from memdash.model.action import Action, Deed
from memdash.model.finding import Severity
from memdash.model.missing import Maybe, Missing
from memdash.model.relief import OVER_LIMIT, GcAt
from memdash.model.sample import Instant, Sample
from memdash.session import Live
from memdash.session.relieving import Relieving
from memdash.units import MIB
from tests.fakes import NOON_S, a_gc, a_sample, a_system, a_target, memstats

PLAN = GcAt(ratio=0.8)
WAY: Mapping[Action, Maybe[str]] = {Action.FORCE_GC: "runs runtime.GC"}


def sample(used_mib: int, second: int = 0) -> Sample:
    stats = memstats(Sys=used_mib * MIB, HeapReleased=0)
    kernel = a_system(cgroup=Missing("none"))
    return a_sample(Instant(NOON_S + second, second), stats, a_gc(memory_limit_bytes=1000 * MIB), kernel)


def deed(cause: str, second: int = 0) -> Deed:
    seen = sample(900, second)
    return Deed(action=Action.FORCE_GC, outcome="collected", took_s=0.25, before=seen, after=seen, cause=cause)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Action, str]]:
    """What watches have asked their samplers for."""
    found: list[tuple[Action, str]] = []
    monkeypatch.setattr(
        "memdash.sampling.sampler.Sampler.ask", lambda _, action, cause="": found.append((action, cause))
    )
    return found


def test_a_watch_asks_for_what_is_ordered_and_tells_of_it(asked: list[tuple[Action, str]]) -> None:
    live = Live(a_target(), entries=(), gc_at=PLAN)
    live.on_offers(WAY, ())
    live.on_sample(sample(1000))
    ((action, cause),) = asked
    assert (action, cause) == (Action.FORCE_GC, "gc-at, 100 % of GOMEMLIMIT in use")
    live.on_deed(deed(cause))
    assert asked == 2 * [(action, cause)]
    live.on_deed(deed(cause))
    assert len(asked) == 2
    live.on_sample(sample(1000, 6))
    shown = live.snapshot()
    assert shown.relief is not None
    assert (shown.relief.rounds, shown.relief.wait_s) == (1, 60)
    assert [finding.rule for finding in shown.findings if finding.ended_at_s is None] == [OVER_LIMIT]
    told = [finding for finding in shown.findings if finding.evidence.get("cause") == cause]
    assert [finding.summary.partition(":")[0] for finding in told] == 2 * [f"force GC by {cause}"]
    assert told[0].evidence["took_s"] == 0.25
    live.on_sample(sample(700, 7))
    assert live.snapshot().worst is None


@pytest.mark.parametrize("read_only", [True, False])
def test_a_watch_that_may_not_or_was_not_asked_does_nothing(asked: list[tuple[Action, str]], read_only: bool) -> None:
    live = Live(a_target(), entries=(), gc_at=PLAN if read_only else None, read_only=read_only)
    live.on_offers(WAY, ())
    live.on_sample(sample(1000))
    live.on_deed(deed(""))
    assert asked == []
    assert live.snapshot().relief is None


def test_a_watch_without_a_screen_says_once_that_nothing_can_be_done() -> None:
    said: list[str] = []
    live = Live(a_target(), entries=(), gc_at=PLAN)
    live.subscribe(notes_told(said.append, warns_of_relief))
    live.on_offers({Action.FORCE_GC: Missing("nothing can collect", "add an endpoint")}, ())
    for second in range(9):
        live.on_sample(sample(500, second))
    assert said == ["gc-at 80 % cannot be done: Nothing can collect. Add an endpoint"]


def test_a_watch_without_a_screen_keeps_silent_where_it_can_be_done() -> None:
    said: list[str] = []
    live = Live(a_target(), entries=(), gc_at=PLAN)
    live.subscribe(notes_told(said.append, warns_of_relief))
    live.on_offers(WAY, ())
    for second in range(9):
        live.on_sample(sample(500, second))
    assert said == []


@pytest.mark.parametrize("part", ["look", "heard"])
def test_a_defect_is_told_once_and_nothing_is_done_any_more(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    done: list[Action] = []
    told: list[tuple[str, Severity]] = []
    relieving = Relieving(
        PLAN, lambda action, _: done.append(action), lambda _, words, severity: told.append((words, severity))
    )
    with monkeypatch.context() as broken_part:
        broken_part.setattr(Reliever, part, broken)
        relieving.look(sample(100), WAY)
        relieving.heard(deed(""))
    assert relieving.look(sample(1000), WAY) == {}
    relieving.heard(deed(""))
    assert done == []
    assert [words for words, severity in told if severity is Severity.WARNING] == [
        "gc-at is off from now on: a defect of memdash: ZeroDivisionError: by zero"
    ]
