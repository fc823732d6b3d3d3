"""A recorder beside a watch."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

import memdash.recording.recorder
from memdash.model.capability import Capability
from memdash.model.finding import Finding, Severity, mark
from memdash.model.sample import Instant
from memdash.model.snapshot import State
from memdash.model.target import Ending, Runtime
from memdash.recording.moment import Moment
from memdash.recording.reader import Recording
from memdash.recording.recorder import Recorder
from memdash.recording.writer import Writer
from tests.fakes import NOON_S, FakeClock, a_profile, a_sample, a_target
from tests.sessions import TickingSession
from tests.waiting import until


def test_what_a_watch_publishes_is_in_the_file_once_it_is_closed(path: Path) -> None:
    watch, writer = TickingSession(), Writer(path)
    recorder = Recorder(watch, writer)
    recorder.start()
    watch.tick(0.0, target=a_target(runtime=Runtime.NATIVE))
    slow = replace(a_sample(Instant(NOON_S, 10_000.0)), sites=a_profile(3.0))
    watch.tick(0.0, sample=slow, target=a_target())
    at_s, mono_s = Instant(NOON_S + 1, 10_001.0)
    warning = Finding(rule="HeapAlloc", severity=Severity.WARNING, at_s=at_s, mono_s=mono_s, summary="too much")
    watch.tick(1.0, findings=(warning,))
    recorder.mark("deployed")
    watch.tick(2.0, findings=(replace(warning, ended_at_s=NOON_S + 2),))
    ending = Ending(at_s=NOON_S + 2.5, exit_code=3)
    watch.tick(2.0, state=State.ENDED, ending=ending)
    recorder.close()
    recorder.close()
    assert recorder.state.path == path
    assert recorder.state.used_bytes > 4096
    assert (recorder.state.dropped, recorder.state.trouble) == (0, "")
    writer.close()
    assert not watch.listeners

    recording = Recording.open(path)
    assert [moment.state for moment in recording.moments(0, 1e11)] == [State.LIVE, State.LIVE, State.ENDED]
    assert recording.run.target == a_target()
    assert recording.run.ending == ending
    assert next(recording.moments(0, 1e11)).sample.sites == a_profile(3.0)
    assert [mark.note for mark in recording.marks()] == ["deployed"]
    assert recording.findings(10_000.5) == ()
    deployed = mark(Instant(NOON_S + 1, 10_001.0), "deployed")
    assert recording.findings(10_001.0) == (deployed, warning)
    assert recording.findings(10_003.0) == (deployed, replace(warning, ended_at_s=NOON_S + 2))
    recording.close()


def test_a_private_recording_is_read_while_it_goes_on() -> None:
    watch, writer = TickingSession(), Writer()
    recorder = Recorder(watch, writer)
    recorder.start()
    assert recorder.recording() is None
    watch.tick(0.0)
    seconds = count(1)

    def looked_at() -> Recording | None:
        watch.tick(next(seconds) / 10)
        return recorder.recording()

    recording = until(looked_at, "a private recording")
    assert recording.instant_at(NOON_S) == Instant(NOON_S, 10_000.0)
    assert recorder.state.path is None
    recorder.close()
    assert recording.until == watch.shown.at
    recording.close()
    assert recording.until == watch.shown.at, "a private one is closed by its writer"
    writer.close()


def test_a_slow_recorder_holds_nobody_up_and_tells_what_it_dropped() -> None:
    watch, writer = TickingSession(), Writer()
    recorder = Recorder(watch, writer)
    with writer.database.transaction():  # whoever writes waits
        recorder.start()
        ticks = 0
        while not recorder.state.dropped:
            watch.tick(float(ticks))
            ticks += 1
    recorder.close()
    held = [moment.at.mono_s for moment in Recording(writer.database).moments(0, 1e11)]
    assert recorder.state.dropped == ticks - len(held)
    assert held[-1] == 10_000.0 + ticks - 1
    writer.close()


def test_what_cannot_be_written_is_counted_and_told_once() -> None:
    watch, writer, told = TickingSession(), Writer(), list[str]()
    recorder = Recorder(watch, writer, told.append)
    recorder.start()
    watch.tick(0.0)
    broken = replace(a_sample(Instant(NOON_S + 1, 10_001.0)), gc=object())  # type: ignore[arg-type]
    watch.tick(1.0, sample=broken)
    recorder.close()
    assert len(told) == 1
    assert "could not be recorded" in told[0]
    assert recorder.state.dropped >= 1
    writer.close()


def test_a_mark_keeps_what_stands_at_its_moment() -> None:
    watch, writer = TickingSession(), Writer()
    recorder = Recorder(watch, writer)
    recorder.start()
    watch.tick(0.0)
    at = Instant(NOON_S + 5, 10_005.0)
    watch.tick(5.0, sample=replace(a_sample(at), sites=a_profile(2.0)))
    recorder.mark("here")
    recorder.close()
    (found,) = Recording(writer.database).facts(Capability.SITES, at.mono_s, at.mono_s)
    assert found.fact == a_profile(2.0)
    writer.close()


def test_a_disk_that_does_not_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memdash.recording.recorder, "_PATIENCE_S", 0.01)
    watch, writer = TickingSession(), Writer()
    recorder = Recorder(watch, writer)
    with writer.database.transaction():  # whoever writes waits
        recorder.start()
        watch.tick(0.0)
        assert not recorder.close()
        assert recorder.state.trouble == "it has not answered for 0.0 s"
    until(recorder.close, "its end")
    assert recorder.state.trouble == ""
    assert Recording(writer.database).until == watch.shown.at
    writer.close()


def test_what_is_said_bears_the_time_of_its_sample_though_many_are_written_together(path: Path) -> None:
    """Whatever the wall clock shows: it is set back by an hour between two of them."""
    watch, writer = TickingSession(), Writer(path)
    recorder = Recorder(watch, writer)
    recorder.start()
    first = Finding(rule="first", severity=Severity.WARNING, at_s=NOON_S + 0.2, summary="too much")
    second = replace(first, rule="second", at_s=NOON_S + 0.7 - 3600)
    over = replace(first, ended_at_s=NOON_S + 0.8 - 3600)
    log = [(), (), (first,), (first,), (first,), (first,), (first,), (second, first), (second, over), (second, over)]
    for tick, findings in enumerate(log):
        at = Instant(NOON_S + tick / 10 - 3600 * (tick >= 5), 10_000.0 + tick / 10)
        watch.tick(tick / 10, at=at, sample=a_sample(at), findings=findings)
    recorder.close()
    writer.close()
    recording = Recording.open(path)
    said = [(finding.rule, finding.ended_at_s is None, said_s) for said_s, finding in recording.sayings()]
    assert said == [("first", True, 10_000.2), ("second", True, 10_000.7), ("first", False, 10_000.8)]
    for tick, findings in enumerate(log):
        found = recording.findings(10_000.0 + tick / 10)
        assert [(each.rule, each.ended_at_s) for each in found] == [(each.rule, each.ended_at_s) for each in findings]
    recording.close()


def test_what_somebody_says_of_an_alert_that_is_over_leaves_its_end_where_it_was(
    path: Path, clock: FakeClock, watched: Callable[..., list[Moment]]
) -> None:
    writer, begun = Writer(path), clock.now()
    run = writer.begin(a_target(), begun, 1.0)
    at_s, mono_s = begun
    alert = Finding(rule="heap", severity=Severity.WARNING, at_s=at_s, mono_s=mono_s, summary="")
    writer.write(run, watched(1), [alert])
    over = replace(alert, ended_at_s=clock.now().wall_s)
    writer.write(run, watched(1), [over])
    writer.write(run, watched(9), [replace(over, acknowledged=True)])
    writer.close()
    recording = Recording.open(path)
    assert [each.ended_at_s for each in recording.findings(begun.mono_s)] == [None]
    assert recording.findings(begun.mono_s + 1) == (replace(over, acknowledged=True),)
    recording.close()
