"""The thread ticks on deadlines, notices the end at once, and never outlives its owner."""

from __future__ import annotations

import threading

from memdash.errors import AccessDenied, TargetExited
from memdash.model.sample import Fact, Sample
from memdash.model.target import Ending
from memdash.sampling.clock import SystemClock
from memdash.sampling.roster import Roster
from memdash.sampling.sampler import Sampler
from tests.fakes import FakeProbe, memstats
from tests.sampling.heard import GO, PATIENCE_S, Ear, PipeWatch, answering, sampler


def test_the_first_sample_comes_at_once_and_stop_does_not_wait_for_the_next() -> None:
    probe, watch, ear = FakeProbe(answering, GO), PipeWatch(), Ear()
    thread = sampler(probe, watch, ear)
    thread.start()
    assert ear.first.wait(PATIENCE_S)
    thread.stop()
    thread.stop()
    assert watch.closed.wait(PATIENCE_S)
    assert probe.closed == 1
    assert len(ear.samples) == 1
    assert ear.ending is None


def test_the_end_of_the_target_wakes_the_thread_in_the_middle_of_an_interval() -> None:
    watch, ear = PipeWatch(), Ear()
    thread = sampler(FakeProbe(answering, GO), watch, ear)
    thread.start()
    assert ear.first.wait(PATIENCE_S)
    watch.end(Ending(at_s=1.0, signal_number=9))
    assert ear.over.wait(PATIENCE_S)
    assert ear.ending == Ending(at_s=1.0, signal_number=9)
    thread.stop()


def test_a_read_that_finds_the_target_gone_waits_for_the_reason() -> None:
    watch, ear = PipeWatch(), Ear()

    def gone() -> tuple[Fact, ...]:
        watch.end(Ending(at_s=2.0, exit_code=3))
        raise TargetExited("gone")

    sampler(FakeProbe(gone, GO), watch, ear).start()
    assert ear.over.wait(PATIENCE_S)
    assert ear.ending == Ending(at_s=2.0, exit_code=3)


def test_an_attach_that_fails_is_reported_not_raised() -> None:
    watch, ear, clock = PipeWatch(), Ear(), SystemClock()

    def refused() -> Roster:
        raise AccessDenied("pid 1 belongs to root")

    Sampler(refused, watch, clock, 1.0, ear).start()
    assert ear.over.wait(PATIENCE_S)
    assert isinstance(ear.error, AccessDenied)
    assert watch.closed.wait(PATIENCE_S)


def test_a_defect_in_whoever_listens_is_told_and_ends_the_watch() -> None:
    class Broken(Ear):
        def on_sample(self, sample: Sample) -> None:
            raise ZeroDivisionError("a defect")

    watch, ear = PipeWatch(), Broken()
    sampler(FakeProbe(answering, GO), watch, ear).start()
    assert ear.over.wait(PATIENCE_S)
    assert str(ear.error) == "a defect of memdash: ZeroDivisionError: a defect"
    assert watch.closed.wait(PATIENCE_S)


def test_whoever_cannot_take_in_the_end_is_told_that_nothing_follows() -> None:
    class Broken(Ear):
        def on_end(self, ending: Ending) -> None:
            raise ZeroDivisionError("a defect")

    def gone() -> tuple[Fact, ...]:
        watch.end(Ending(at_s=2.0))
        raise TargetExited("gone")

    watch, ear = PipeWatch(), Broken()
    sampler(FakeProbe(gone, GO), watch, ear).start()
    assert ear.over.wait(PATIENCE_S)
    assert str(ear.error) == "a defect of memdash: ZeroDivisionError: a defect"


def test_late_ticks_are_skipped_not_made_up() -> None:
    """A read that takes three intervals is followed by one at a later deadline, not by a burst."""
    watch, ear = PipeWatch(), Ear()
    held = threading.Event()
    enough = threading.Event()

    def slow_once() -> tuple[Fact, ...]:
        if not ear.samples:
            held.wait(0.16)
        if len(ear.samples) >= 4:
            enough.set()
        return (memstats(),)

    thread = sampler(FakeProbe(slow_once, GO), watch, ear, interval_s=0.05)
    thread.start()
    assert enough.wait(PATIENCE_S)
    thread.stop()
    times = [sample.at.mono_s for sample in ear.samples]
    # However late one comes, the next is not before its own deadline, and the one after that an interval later.
    assert all(later - earlier > 0.05 for earlier, later in zip(times, times[2:], strict=False))
