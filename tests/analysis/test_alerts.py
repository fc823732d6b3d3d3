"""The log is bounded, each trouble is one entry, nothing is lost silently, and listeners hear what matters, once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memdash.analysis.alerts import AlertLog
from memdash.model.finding import Figure, Finding, NotYet, Severity, TransitionKind
from memdash.model.sample import Instant
from memdash.units import Unit

OPENED, WORSENED, ENDED, HAPPENED = TransitionKind
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL


def at(second: float, jump_s: float = 0.0) -> Instant:
    return Instant(1_000_000 + second + jump_s, second)


def found(
    summary: str = "HeapAlloc over", rule: str = "heap", severity: Severity = WARNING, value: float | None = None
) -> Finding:
    measured = None if value is None else Figure(value, Unit.BYTES)
    return Finding(rule=rule, severity=severity, at_s=0, summary=summary, measured=measured)


class Told(AlertLog):
    """A log of one rule, at a second each."""

    def see(self, second: float, verdict: Finding | NotYet | None) -> list[TransitionKind]:
        self.observe(at(second), {"heap": verdict})
        return [transition.kind for transition in self.news()]

    @property
    def newest(self) -> Finding:
        return self.entries[0]


def test_a_lasting_trouble_is_one_entry_kept_up_to_date() -> None:
    log = Told()
    for second in range(5):
        log.see(second, found(f"HeapAlloc {second}"))
    (entry,) = log.entries
    assert (entry.at_s, entry.ended_at_s, entry.summary) == (at(0).wall_s, None, "HeapAlloc 4")
    assert entry.lasted_s == 4


def test_it_gets_its_end_and_a_quick_return_reopens_it() -> None:
    log = Told({"heap": 30})
    log.see(0, found())
    log.see(10, None)
    assert (log.newest.ended_at_s, log.newest.lasted_s) == (at(10).wall_s, 10)
    log.see(20, found())
    assert [(e.at_s, e.ended_at_s, e.times) for e in log.entries] == [(at(0).wall_s, None, 2)]
    log.see(30, None)
    log.see(100, found())
    assert [(e.at_s, e.times) for e in log.entries] == [(at(100).wall_s, 1), (at(0).wall_s, 2)]


def test_the_worst_is_kept() -> None:
    log = Told({"heap": 30})
    for second, value in enumerate((5, 9, 7)):
        log.see(second, found(value=value))
    assert (log.newest.measured, log.newest.worst) == (Figure(7, Unit.BYTES), Figure(9, Unit.BYTES))
    log.see(4, None)
    log.see(5, found(value=8))
    assert log.newest.worst == Figure(9, Unit.BYTES)
    log.see(6, None)
    log.see(60, found(value=6))
    assert log.newest.worst == Figure(6, Unit.BYTES)


def test_the_worst_of_what_sinks_is_the_least() -> None:
    low, high = (Figure(value, Unit.COUNT, sinks=True) for value in (1, 2))
    assert low.worse(high) == high.worse(low) == low


def test_not_knowing_leaves_it_open() -> None:
    log = Told()
    log.see(0, found())
    assert log.see(1, NotYet("a gap")) == []
    assert log.newest.ended_at_s is None


def test_the_oldest_go_first_and_are_counted() -> None:
    log = AlertLog(capacity=3)
    for second in range(10):
        log.note(Finding(rule="memdash", severity=Severity.INFO, at_s=second, summary=""))
    assert [e.at_s for e in log.entries] == [9, 8, 7]
    assert log.dropped == 7


def test_what_holds_is_never_dropped_and_its_end_is_told() -> None:
    log = Told(capacity=2)
    assert log.see(0, found(value=9)) == [OPENED]
    log.acknowledge(log.newest)
    for _ in range(5):
        log.note(found(rule="memdash", severity=Severity.INFO))
    assert log.see(3, found(value=5)) == []
    (held,) = (entry for entry in log.entries if entry.rule == "heap")
    assert (held.at_s, held.lasted_s, held.worst, held.acknowledged) == (at(0).wall_s, 3, Figure(9, Unit.BYTES), True)
    assert (len(log.entries), log.dropped) == (2, 4)
    assert log.see(4, None) == [ENDED]
    log.note(found(rule="memdash", severity=Severity.INFO))
    log.note(found(rule="memdash", severity=Severity.INFO))
    assert log.see(100, found()) == [OPENED]


def test_with_more_rules_that_hold_than_there_is_room_for_all_are_kept() -> None:
    log = AlertLog(capacity=2)
    log.observe(at(0), {str(number): found(rule=str(number)) for number in range(4)})
    log.note(found(rule="memdash"))
    assert [entry.rule for entry in log.entries] == ["3", "2", "1", "0"]
    log.observe(at(1), dict.fromkeys("0123"))
    log.note(found(rule="memdash"))
    assert (len(log.entries), log.dropped) == (2, 4)


def test_listeners_know_what_holds_however_much_is_dropped() -> None:
    """Twelve rules come and go among thousands of notes: news alone tell who holds at any time."""
    chance = random.Random(7)
    names = [str(number) for number in range(12)]
    log, holds = AlertLog(dict.fromkeys(names, 0.0)), set[str]()
    told = set[str]()
    for second in range(3000):
        for name in chance.sample(names, 2):
            holds ^= {name}
        log.note(found(rule="memdash", severity=Severity.INFO))
        log.observe(at(second), {name: found(rule=name) if name in holds else None for name in names})
        for news in log.news():
            assert (news.kind is OPENED) is (news.finding.rule not in told)
            told ^= {news.finding.rule}
        assert told == holds == {entry.rule for entry in log.entries if entry.ended_at_s is None}
    assert log.dropped > 2000
    assert len(log.entries) == 500


def test_what_nobody_can_tell_for_five_minutes_has_ended() -> None:
    log = Told({"heap": 30})
    log.see(0, found())
    log.see(9, found())
    assert log.see(10, NotYet("HeapAlloc is not known")) == []
    assert log.see(309, NotYet("HeapAlloc is not known")) == []
    assert log.see(310, NotYet("HeapAlloc is not known")) == [ENDED]
    assert (log.newest.ended_at_s, log.newest.lasted_s) == (at(310).wall_s, 9)
    assert log.newest.summary.endswith("; whether that holds is not known any more: HeapAlloc is not known")
    assert log.see(320, NotYet("HeapAlloc is not known")) == []
    assert log.see(341, found()) == [OPENED]


def test_not_knowing_now_and_then_ends_nothing() -> None:
    log = Told()
    for second in range(0, 4000, 200):
        log.see(second, found())
        assert log.see(second + 100, NotYet("a gap")) == []
    assert log.newest.ended_at_s is None


def test_one_unknown_sample_an_hour_ends_nothing() -> None:
    log = Told()
    log.see(0, found())
    assert log.see(3600, NotYet("a gap")) == []
    assert log.see(7200, found()) == []
    assert len(log.entries) == 1


def test_when_nothing_more_will_be_found_all_that_holds_ends() -> None:
    log = AlertLog()
    log.observe(at(0), {"heap": found(), "rss": found(rule="rss", severity=Severity.INFO), "over": None})
    log.news()
    log.close(at(7))
    assert [(entry.ended_at_s, entry.lasted_s) for entry in log.entries] == [(at(7).wall_s, 7)] * 2
    assert [(news.kind, news.finding.rule) for news in log.news()] == [(ENDED, "heap")]
    log.close(at(8))
    assert not log.news()


def test_listeners_hear_of_a_beginning_a_worse_turn_and_an_end() -> None:
    log = Told()
    assert log.see(0, found()) == [OPENED]
    assert log.see(1, found()) == []
    assert log.see(2, found(severity=CRITICAL)) == [WORSENED]
    assert log.see(3, found()) == []
    assert log.see(4, found(severity=CRITICAL)) == []
    assert log.see(5, None) == [ENDED]
    assert log.see(6, None) == []


def test_a_return_within_the_cooldown_is_told_when_it_outlasts_it() -> None:
    log = Told({"heap": 100})
    log.see(0, found())
    log.see(10, None)
    assert log.see(20, found()) == []
    assert log.see(30, None) == []
    assert log.see(40, found()) == []
    assert log.see(129, found()) == []
    assert log.see(131, found()) == [OPENED]
    assert log.newest.times == 3


def test_less_than_a_warning_is_nothing_to_listen_to() -> None:
    log = Told()
    assert log.see(0, found(severity=Severity.INFO)) == []
    assert log.see(1, found()) == [OPENED]
    assert log.see(2, None) == [ENDED]
    log.note(found(rule="memdash", severity=Severity.INFO))
    assert log.news() == ()


def test_what_happens_at_one_moment_is_told_alone() -> None:
    log = Told()
    log.note(found("shop ended", rule="memdash", severity=CRITICAL))
    (news,) = log.news()
    assert (news.kind, news.finding.summary) == (HAPPENED, "shop ended")


def test_what_is_muted_is_logged_and_not_told() -> None:
    log = Told()
    log.mute("heap")
    assert log.see(0, found()) == []
    assert log.newest.summary == "HeapAlloc over"
    log.unmute("heap")
    assert log.see(1, found()) == [OPENED]
    log.mute("heap")
    assert log.see(2, found(severity=CRITICAL)) == []
    assert log.see(3, None) == [ENDED]


def test_a_mute_ends_in_time() -> None:
    log = Told()
    log.mute("heap", 10)
    assert log.see(9, found()) == []
    assert log.muted == {"heap": 10}
    assert log.see(10, found()) == [OPENED]
    assert not log.muted


def test_an_acknowledgement_lasts_until_it_gets_worse() -> None:
    log = Told({"heap": 30})
    log.see(0, found())
    log.acknowledge(log.newest)
    acknowledged = []
    for second, verdict in enumerate((found(), None, found(), found(severity=CRITICAL)), start=1):
        log.see(second, verdict)
        acknowledged.append(log.newest.acknowledged)
    assert acknowledged == [True, True, True, False]


def test_an_acknowledgement_can_be_taken_back() -> None:
    log = Told()
    log.see(0, found())
    log.acknowledge(log.newest)
    log.acknowledge(log.newest, seen=False)
    assert not log.newest.acknowledged


def test_an_acknowledgement_of_what_has_gone_does_nothing() -> None:
    log = Told(capacity=1)
    log.see(0, found())
    old = log.newest
    log.see(1, None)
    log.note(found(rule="memdash"))
    log.acknowledge(old)
    assert not any(entry.acknowledged for entry in log.entries)


@pytest.mark.parametrize("jump_s", [-7200.0, 7200.0])
def test_a_clock_that_is_set_changes_no_duration(jump_s: float) -> None:
    log = Told({"heap": 30})
    log.see(0, found())
    log.observe(at(10, jump_s), {"heap": None})
    assert log.newest.lasted_s == 10
    log.observe(at(20, jump_s), {"heap": found()})
    log.observe(at(25, jump_s), {"heap": None})
    assert (log.newest.lasted_s, len(log.entries)) == (15, 1)


@given(
    steps=st.lists(
        st.sampled_from(
            [found(), found(severity=CRITICAL), found(severity=Severity.INFO), None, NotYet(""), "mute", "unmute"]
        ),
        max_size=60,
    ),
    capacity=st.integers(1, 4),
    cooldown_s=st.sampled_from([0.0, 3.0, 1e9]),
)
def test_whatever_happens_news_pair_up(
    steps: list[Finding | NotYet | str | None], capacity: int, cooldown_s: float
) -> None:
    """An alert that opened ends before it opens again, and no entry lasts longer than the watch."""
    log, is_open = Told({"heap": cooldown_s}, capacity), False
    for second, step in enumerate(steps):
        if isinstance(step, str):
            getattr(log, step)("heap")
            continue
        for kind in log.see(second, step):
            assert (kind is OPENED) is not is_open
            is_open = kind is not ENDED
        assert len(log.entries) <= capacity
        assert all(0 <= entry.lasted_s <= second for entry in log.entries)
