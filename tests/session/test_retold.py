"""The alert log of a recording as its watch had it, moment by moment, with the news of then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.model.finding import Finding, Severity, Transition
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot
from memdash.recording.reader import Recording
from memdash.session.pace import Pace
from memdash.session.past import Past
from memdash.session.replay import judged, retold
from memdash.session.retold import Retold
from tests.fakes import NOON_S
from tests.recorded import record, watched

ALERT = Finding(rule="heap", severity=Severity.WARNING, at_s=NOON_S, summary="grows")


def news(said: Sequence[tuple[float, Finding]], seconds: int, muted: Sequence[range] = ()) -> list[tuple[int, str]]:
    """Each second at which something was told, and the word for it."""
    log = Retold(iter((500.0 + at_s, finding) for at_s, finding in said))
    found = []
    for second in range(seconds):
        at, is_muted = Instant(NOON_S + second, 500.0 + second), any(second in span for span in muted)
        _, told = log.at(at, None, {"heap"} if is_muted else set())
        found += [(second, each.kind.value) for each in told]
    return found


def test_each_moment_has_the_log_and_the_news_that_it_had(tmp_path: Path) -> None:
    seen = watched(400, ends=True)
    record(tmp_path / "run.mdr", seen)
    past = Past(Recording.open(tmp_path / "run.mdr"))
    for live, then in zip(seen, retold(past), strict=True):
        assert [told(each) for each in then.transitions] == [told(each) for each in live.transitions]
        assert [(f.rule, f.at_s, f.ended_at_s) for f in then.findings] == [
            (f.rule, f.at_s, f.ended_at_s) for f in live.findings
        ]
        assert len(then.alerts) == len(live.alerts)
        assert then.verdict is None or live.verdict is not None
        assert (then.verdict and then.verdict.kind) == (live.verdict and live.verdict.kind)
    past.close()


def told(transition: Transition) -> tuple[object, ...]:
    return transition.kind, transition.finding.rule, transition.finding.at_s, transition.finding.severity


def test_what_is_told_is_told_when_it_was_said() -> None:
    over = replace(ALERT, ended_at_s=NOON_S + 10, lasted_s=7.0)
    assert news([(3, ALERT), (10, over)], 20) == [(3, "opened"), (10, "ended")]


def test_that_it_got_graver_is_told_once() -> None:
    worse = replace(ALERT, severity=Severity.CRITICAL)
    said = [(0.0, replace(ALERT, severity=Severity.INFO)), (4.0, ALERT), (8.0, worse), (12.0, worse)]
    assert news(said, 20) == [(4, "opened"), (8, "worsened")]


def test_what_is_muted_is_told_once_it_counts() -> None:
    assert news([(0, ALERT)], 20, [range(8)]) == [(8, "opened")]
    assert news([(0, ALERT), (6, replace(ALERT, ended_at_s=NOON_S + 6))], 20, [range(8)]) == []


def test_what_comes_back_at_once_is_told_when_it_stays() -> None:
    over, again = replace(ALERT, ended_at_s=NOON_S + 5), replace(ALERT, times=2)
    assert news([(0, ALERT), (5, over), (8, again)], 60) == [(0, "opened"), (5, "ended"), (35, "opened")]
    assert news([(0, ALERT), (5, over), (8, again), (9, replace(over, ended_at_s=NOON_S + 9))], 60) == [
        (0, "opened"),
        (5, "ended"),
    ]


def test_what_happened_is_told_then() -> None:
    assert news([(4, replace(ALERT, at_s=NOON_S + 4, ended_at_s=NOON_S + 4))], 9) == [(4, "happened")]


def test_what_came_with_the_end_is_told_with_it() -> None:
    at, over = Instant(NOON_S + 9, 509.0), replace(ALERT, ended_at_s=NOON_S + 9.5)
    log = Retold(iter([(500.0, ALERT), (509.000001, over)]))
    assert [each.kind.value for each in log.at(at, is_over=False)[1]] == ["opened"]
    assert [each.kind.value for each in log.at(at)[1]] == ["ended"]


def test_the_log_is_bounded() -> None:
    happened = [replace(ALERT, at_s=NOON_S + at, ended_at_s=NOON_S + at) for at in range(700)]
    log = Retold(iter((500.0 + at, finding) for at, finding in enumerate(happened)))
    entries, _ = log.at(Instant(NOON_S + 1000, 1500.0))
    assert len(entries) == 500
    assert entries[0] == happened[-1]


def test_its_moments_are_those_up_to_one(tmp_path: Path) -> None:
    seen: Sequence[Snapshot] = watched(70)
    record(tmp_path / "run.mdr", seen)
    past = Past(Recording.open(tmp_path / "run.mdr"))
    assert [shown.at for shown in retold(past, seen[30].at.mono_s)] == [shown.at for shown in seen[:31]]
    past.close()


def test_with_a_step_the_last_of_them_is_there_too(tmp_path: Path) -> None:
    seen = watched(70)
    record(tmp_path / "run.mdr", seen)
    past = Past(Recording.open(tmp_path / "run.mdr"))
    for until, beyond_s, taken in ((69, 0.0, [0, 20, 40, 60, 69]), (35, 0.0, [0, 20, 35]), (35, 0.4, [0, 20, 35])):
        until_s = seen[until].at.mono_s + beyond_s
        for told_over in (retold(past, until_s, 20.0), judged(past, [], (), until_s, 20.0)):
            assert [shown.at for shown in told_over] == [seen[second].at for second in taken]
    past.close()


@pytest.mark.parametrize(
    ("apart_s", "step_s", "taken"),
    [(1.0, 0.0, 30), (1.0, 1.0, 30), (1.0, 10.0, 3), (0.1, 1.0, 3), (7.0, 10.0, 21), (60.0, 1.0, 30)],
)
def test_a_pace_is_kept_whatever_the_jitter(apart_s: float, step_s: float, taken: int) -> None:
    pace = Pace(step_s, apart_s)
    jitter = [apart_s * part for part in (0.0, 0.02, -0.02, 0.01)]
    assert sum(pace.takes(500.0 + number * apart_s + jitter[number % 4]) for number in range(30)) == taken
