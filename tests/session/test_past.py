"""A recorded moment is the snapshot that it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from memdash.analysis.alerts import AlertLog
from memdash.analysis.rules import parse_rule
from memdash.analysis.verdict_words import RULE
from memdash.errors import NoSuchTarget, RecordingError
from memdash.model.capability import Capability
from memdash.model.family import Member
from memdash.model.finding import Figure, Finding, Severity
from memdash.model.missing import Missing
from memdash.model.sample import Sample
from memdash.model.series import Series
from memdash.model.snapshot import Snapshot, State
from memdash.recording.reader import Recording
from memdash.session.past import Past
from memdash.session.replay import Replay, judged, replays
from memdash.units import Unit
from tests.fakes import NOON_S, a_family, a_relief, a_target
from tests.recorded import MONO_S, record, watched
from tests.waiting import until


@pytest.fixture(scope="module")
def seen() -> Sequence[Snapshot]:
    return watched(400, ends=True)


@pytest.fixture
def file(tmp_path: Path, recorded: Path) -> Path:
    """A copy of one's own."""
    path = tmp_path / "run.mdr"
    path.write_bytes(recorded.read_bytes())
    return path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, seen: Sequence[Snapshot]) -> Path:
    path = tmp_path_factory.mktemp("recorded") / "run.mdr"
    record(path, seen, marks=[(150, "deploy")])
    return path


@pytest.fixture
def past(file: Path) -> Iterator[Past]:
    past = Past(Recording.open(file), is_of_file=True)
    yield past
    past.close()


def facts(sample: Sample) -> object:
    """All that was read, without when: wall times keep their microseconds, and no more."""
    return {name: getattr(sample, name) for name in ("memstats", "gc", "system", "sites", "tasks", "mappings")}


def said(snapshot: Snapshot) -> object:
    """Of what was made of the memory; its figures are kept with some digits less."""
    verdict = snapshot.verdict
    return None if verdict is None else (verdict.kind, verdict.severity, verdict.summary)


@pytest.mark.parametrize("second", [0, 125, 199, 398])
def test_a_moment_is_the_snapshot_that_it_was(past: Past, seen: Sequence[Snapshot], second: int) -> None:
    then = next(snapshot for snapshot in reversed(seen) if snapshot.at.mono_s <= MONO_S + second)
    found = past.at(MONO_S + second)
    assert found.at == then.at
    assert facts(found.sample) == facts(then.sample)
    assert (found.target, found.state, found.cost) == (then.target, then.state, then.cost)
    assert said(found) == said(then)
    assert found.baseline == then.baseline
    assert not isinstance(found.groups, Missing)
    assert not isinstance(then.groups, Missing)
    assert [(g.frame, g.usage, g.change, g.stacks) for g in found.groups] == [
        (g.frame, g.usage, g.change, g.stacks) for g in then.groups
    ]
    assert [group.trend for group in found.groups] == [group.trend for group in then.groups]
    assert found.tasks == then.tasks
    assert found.before == then.before
    assert found.is_replayed


def test_what_was_muted_and_how_collections_stood_comes_back_too(tmp_path: Path) -> None:
    then = replace(watched(3)[-1], muted={"gc pause": 5.0}, relief=a_relief())
    path = tmp_path / "short.mdr"
    record(path, [then])
    past = Past(Recording.open(path))
    found = past.at(then.at.mono_s)
    past.close()
    assert (found.muted, found.relief) == (then.muted, then.relief)


def test_its_metrics_are_those_up_to_then(past: Past, seen: Sequence[Snapshot]) -> None:
    then = seen[150]
    found: Series = past.at(then.at.mono_s).history.series("HeapAlloc", 60.0)
    live = then.history.series("HeapAlloc", 60.0)
    assert (list(found.times_s), list(found.last)) == (list(live.times_s), list(live.last))


def test_its_metrics_count_from_where_they_did(past: Past, seen: Sequence[Snapshot]) -> None:
    then = past.at(seen[60].at.mono_s)
    for key in ("HeapAlloc", "NumGC"):
        assert then.history.start(key) == seen[60].history.start(key) is not None


def test_the_courses_of_its_rows_reach_as_far(past: Past, seen: Sequence[Snapshot]) -> None:
    then = past.at(MONO_S + 190)
    assert not isinstance(then.groups, Missing)
    leaf = then.groups[0].frame
    course = then.courses[Capability.SITES].of(leaf)
    assert list(course.times_s) == [MONO_S, MONO_S + 60, MONO_S + 120, MONO_S + 180]
    assert course.last[-1] == then.groups[0].usage.inuse_bytes


def test_alerts_of_the_future_are_not_known(past: Past, seen: Sequence[Snapshot]) -> None:
    words = [finding.summary for finding in past.at(MONO_S + 149).findings]
    assert "deploy" not in words
    assert "deploy" in [finding.summary for finding in past.at(MONO_S + 150).findings]


def test_what_is_said_of_an_alert_is_of_then(past: Past, seen: Sequence[Snapshot]) -> None:
    def evidence(snapshot: Snapshot) -> str:
        return next((finding.summary for finding in snapshot.findings if finding.rule == RULE), "")

    first, last = past.at(MONO_S + 280), past.at(MONO_S + 398)
    assert evidence(first) != evidence(last)
    assert evidence(first) == evidence(seen[280])


def test_changes_count_from_any_moment(past: Past) -> None:
    then = past.at(MONO_S + 130)
    found = past.at(MONO_S + 350, then.at)
    assert not isinstance(found.groups, Missing)
    assert not isinstance(then.groups, Missing)
    held = {group.frame: group.usage for group in then.groups}
    assert all(
        group.usage.inuse_bytes - held[group.frame].inuse_bytes == group.change.inuse_bytes for group in found.groups
    )
    assert any(group.change.inuse_bytes for group in found.groups)
    assert found.baseline.at == then.at
    assert found.baseline.marked
    before = past.at(MONO_S + 10, then.at)
    assert not isinstance(before.groups, Missing)
    assert min(group.change.inuse_bytes for group in before.groups) < 0


def test_a_quick_answer_lacks_trends_at_most(past: Past) -> None:
    quick, whole = past.at(MONO_S + 350, is_quick=True), past.at(MONO_S + 350)
    assert not isinstance(quick.groups, Missing)
    assert not isinstance(whole.groups, Missing)
    assert len(quick.groups[0].trend) < len(whole.groups[0].trend)
    assert [replace(group, trend=()) for group in quick.groups] == [replace(group, trend=()) for group in whole.groups]
    again = past.at(MONO_S + 350, is_quick=True)
    assert again.groups == whole.groups


def test_a_step_leads_over_a_time_without_moments(tmp_path: Path) -> None:
    path = tmp_path / "gap.mdr"
    record(path, watched(80, gaps=(range(20, 50),)))
    past = Past(Recording.open(path))
    assert past.at(MONO_S + 23).at.mono_s == MONO_S + 19
    assert past.at(MONO_S + 23, beyond_s=MONO_S + 19).at.mono_s == MONO_S + 50
    assert past.at(MONO_S + 75, beyond_s=MONO_S + 70).at.mono_s == MONO_S + 75
    assert past.at(MONO_S + 99, beyond_s=MONO_S + 79).at.mono_s == MONO_S + 79
    assert past.at(MONO_S - 5).at.mono_s == MONO_S
    past.close()


def test_what_cannot_be_read_is_a_gap(past: Past) -> None:
    then = past.at(MONO_S + 100)
    past.close()
    assert len(then.history.series("HeapAlloc", 60.0)) == 0
    assert len(then.courses[Capability.SITES].of("any")) == 0


def test_how_the_target_ended_is_known_at_the_end_only(past: Past) -> None:
    replay = Replay(past)
    assert replay.snapshot().state is State.ENDED
    assert replay.snapshot().ending is not None
    assert past.at(MONO_S + 300).ending is None


def test_a_replay_opens_without_trends_and_they_follow(past: Past) -> None:
    replay, heard = Replay(past), list[Snapshot]()
    replay.subscribe(heard.append)
    first = replay.snapshot()
    replay.start()
    until(lambda: heard, "the trends")
    replay.close()
    assert not isinstance(first.groups, Missing)
    assert not isinstance(heard[0].groups, Missing)
    assert len(first.groups[0].trend) < len(heard[0].groups[0].trend)
    assert replay.snapshot() is heard[0]


def test_a_replay_counts_changes_from_a_moment_that_is_chosen(past: Past) -> None:
    replay, heard = Replay(past), list[Snapshot]()
    leave = replay.subscribe(heard.append)
    replay.mark_baseline(past.at(MONO_S + 130))
    assert replay.snapshot().baseline.at.mono_s == MONO_S + 130
    replay.clear_baseline()
    assert not replay.snapshot().baseline.marked
    leave()
    replay.mark_baseline()
    assert [shown.baseline.marked for shown in heard] == [True, False]
    assert not replay.snapshot().actions


def test_after_the_clock_was_set_back_tasks_are_those_of_the_time_that_passed(
    tmp_path: Path, seen: Sequence[Snapshot]
) -> None:
    path = tmp_path / "set_back.mdr"
    behind = [replace(s, at=s.at._replace(wall_s=s.at.wall_s - 86_400)) for s in seen[180:300]]
    record(path, [*seen[:180], *behind])
    past = Past(Recording.open(path), is_of_file=True)
    counts = [tasks.groups[0].count for tasks in past.tasks(MONO_S + 60, MONO_S + 240)]
    assert counts == [9, 10, 11, 12]
    newest = past.at(MONO_S + 299)
    assert not isinstance(newest.tasks, Missing)
    course = newest.courses[Capability.TASKS].of(newest.tasks[0].key)
    assert list(course.last) == [8, 9, 10, 11, 12]
    past.close()


def test_what_was_seen_is_judged_anew(past: Past) -> None:
    judgements = list(judged(past, [], until_s=MONO_S + 150))
    assert judgements[-1].at.mono_s == MONO_S + 150
    assert len(judgements) == 151
    last, then = judgements[-1], past.at(MONO_S + 150)
    assert last.groups == then.groups
    assert last.tasks == then.tasks
    assert said(last) == said(then)


def test_what_is_judged_anew_says_of_each_moment_how_collections_before_the_limit_stood(
    tmp_path: Path, seen: Sequence[Snapshot]
) -> None:
    path = tmp_path / "relieved.mdr"
    record(path, [replace(snapshot, relief=a_relief(rounds=number)) for number, snapshot in enumerate(seen[:70])])
    past = Past(Recording.open(path), is_of_file=True)
    assert [shown.relief for shown in judged(past, [])] == [a_relief(rounds=number) for number in range(70)]
    past.close()


def test_other_runs_of_a_tree_are_turned_to(tmp_path: Path, seen: Sequence[Snapshot]) -> None:
    path = tmp_path / "tree.mdr"
    worker = a_target(pid=41290, start_ticks=123_500, name="worker")
    record(path, watched(5, target=worker))
    record(path, seen[:20], appends=True)
    past = Past(Recording.open(path), is_of_file=True)
    watches = replays(past)
    session = watches.open(past.run.target)
    assert session.snapshot().target.name == "shop-server"
    family = a_family()
    known = replace(family.members[0], pid=41290, start_ticks=123_500)
    turned = watches.turn_to(known)
    assert turned.snapshot().target == worker
    assert len(turned.snapshot().history.series("HeapAlloc", 100.0)) == 5
    unknown: Member = replace(known, pid=77)
    with pytest.raises(NoSuchTarget, match="nothing of process 77"):
        watches.turn_to(unknown)
    watches.close()


def test_an_alert_that_goes_on_says_what_its_figure_was_at_each_moment(tmp_path: Path) -> None:
    """What was said of it is written down once a minute; beside it stands what was read at just this moment."""
    rule, log, seen = parse_rule("RSS > 1MiB"), AlertLog(), list[Snapshot]()
    for snapshot in watched(160):
        log.observe(snapshot.at, {rule.name: rule.check(snapshot.history, log.held(rule.name))})
        seen.append(replace(snapshot, findings=log.entries))
    record(tmp_path / "rec.mdr", seen)
    past = Past(Recording.open(tmp_path / "rec.mdr"))
    for second in (30, 59, 61, 90, 130, 159):
        (then,), (live,) = past.at(MONO_S + second).findings, seen[second].findings
        assert (then.summary, then.measured, then.evidence) == (live.summary, live.measured, live.evidence)
        assert then.measured is not None
        assert then.worst == then.measured.worse(then.worst)
    past.close()


def test_no_figure_of_an_alert_is_younger_than_its_moment(tmp_path: Path) -> None:
    begins, ends, seen = NOON_S + 10, NOON_S + 130, []
    for snapshot in watched(160):
        now = snapshot.at.wall_s
        figure = Figure(now - NOON_S, Unit.COUNT)
        held = Finding(
            rule="NumThread > 9",
            severity=Severity.WARNING,
            at_s=begins,
            summary=f"it is {figure.words}",
            measured=figure,
            worst=figure,
            lasted_s=min(now, ends) - begins,
            ended_at_s=ends if now >= ends else None,
        )
        seen.append(replace(snapshot, findings=(held,) if now >= begins else ()))
    record(tmp_path / "rec.mdr", seen)
    past = Past(Recording.open(tmp_path / "rec.mdr"))
    for second in (10, 11, 30, 59, 60, 61, 90, 129):
        (then,) = past.at(MONO_S + second).findings
        assert then.ended_at_s is None
        assert then.lasted_s == second - 10
        assert then.measured is not None
        assert then.measured == then.worst
        assert second - 60 <= then.measured.value <= second
    assert past.findings == past.at(MONO_S + 159).findings
    (over,) = past.at(MONO_S + 145).findings
    assert (over.ended_at_s, over.lasted_s) == (ends, ends - begins)
    past.close()


def test_a_run_that_has_gone_meanwhile_is_an_error_of_ours(past: Past, file: Path) -> None:
    target = past.run.target
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("DELETE FROM run")
    for look in (lambda: past.since, lambda: past.run, lambda: past.of(target)):
        with pytest.raises(RecordingError):
            look()


def test_a_reading_that_is_pruned_meanwhile_is_missing_in_trends_alone(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, whole = Recording.readings, past.at(MONO_S + 350)
    assert not isinstance(whole.groups, Missing)
    frame = whole.groups[0].frame
    course = whole.courses[Capability.SITES].of(frame)
    assert len(course) > 2

    def with_one_that_goes(recording: Recording, *args: Any) -> tuple[int, ...]:
        *_, most = args
        return real(recording, *args) if most == 1 else (10**6, *real(recording, *args))

    monkeypatch.setattr(Recording, "readings", with_one_that_goes)
    then = past.at(MONO_S + 350)
    assert then.groups == whole.groups
    assert list(then.courses[Capability.SITES].of(frame).last) == list(course.last)
