"""What a person says of alerts reaches everybody who listens to the session."""

from __future__ import annotations

import pytest

from memdash.analysis.rules import parse_rule
from memdash.model.finding import Severity, TransitionKind
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Ending
from memdash.session import Live
from tests.fakes import NOON_S, a_sample, a_target
from tests.session.heard import StillWatch


@pytest.fixture
def watched() -> tuple[Live, list[Snapshot]]:
    """A watch whose only rule finds something at each sample, and all that its listener has got."""
    heard: list[Snapshot] = []
    live = Live(a_target(), watch=StillWatch(), entries=(), rules=(parse_rule("HeapAlloc > 1", "heap"),))
    live.subscribe(heard.append)
    return live, heard


def sample(live: Live, second: float) -> Snapshot:
    live.on_sample(a_sample(Instant(NOON_S + second, 20_000.0 + second)))
    return live.snapshot()


def test_listeners_hear_of_an_alert_once(watched: tuple[Live, list[Snapshot]]) -> None:
    live, heard = watched
    for second in range(3):
        sample(live, second)
    live.mark_baseline()
    live.on_end(Ending(at_s=NOON_S + 4, signal_number=9))
    told = [(transition.kind, transition.finding.severity) for shown in heard for transition in shown.transitions]
    assert told == [
        (TransitionKind.OPENED, Severity.WARNING),
        (TransitionKind.ENDED, Severity.WARNING),
        (TransitionKind.HAPPENED, Severity.CRITICAL),
    ]
    assert not live.snapshot().alerts


def test_an_acknowledgement_is_shown_at_once(watched: tuple[Live, list[Snapshot]]) -> None:
    live, heard = watched
    worst = sample(live, 0).worst
    assert worst is not None
    live.acknowledge(worst)
    assert [finding.acknowledged for finding in heard[-1].alerts] == [True]
    assert sample(live, 1).alerts[0].acknowledged
    live.acknowledge(worst, seen=False)
    assert not live.snapshot().alerts[0].acknowledged


def test_a_muted_rule_does_not_count_until_its_time_is_over(watched: tuple[Live, list[Snapshot]]) -> None:
    live, heard = watched
    sample(live, 0)
    live.mute("heap", 10)
    assert (heard[-1].alerts, heard[-1].worst) == ((), None)
    assert heard[-1].findings[0].summary == "heap muted for 10 s"
    assert not sample(live, 9).alerts
    assert sample(live, 10).alerts
    live.mute("heap")
    assert sample(live, 1e6).alerts == ()
    live.mute("heap", 0)
    assert live.snapshot().alerts
    assert live.snapshot().findings[0].summary == "heap counts again"


def test_a_watch_may_begin_with_rules_muted() -> None:
    live = Live(
        a_target(), watch=StillWatch(), entries=(), rules=(parse_rule("HeapAlloc > 1", "heap"),), muted=("heap",)
    )
    assert sample(live, 0).worst is None
    assert live.snapshot().findings[0].rule == "heap"
    assert live.snapshot().transitions == ()


def test_a_listener_that_goes_wrong_costs_neither_the_watch_nor_the_others() -> None:
    def broken(_: Snapshot) -> None:
        raise ValueError("no more room")

    live, heard = Live(a_target(), watch=StillWatch(), entries=()), list[Snapshot]()
    live.subscribe(broken)
    live.subscribe(heard.append)
    for second in range(3):
        live.on_sample(a_sample(Instant(NOON_S + second, 20_000.0 + second)))
    live.on_end(Ending(at_s=NOON_S + 4))
    assert [shown.state for shown in heard] == [State.LIVE] * 3 + [State.ENDED]
    told = [finding.summary for finding in heard[-1].findings if "goes wrong" in finding.summary]
    assert told == ["something that follows this watch goes wrong: a defect of memdash: ValueError: no more room"]
