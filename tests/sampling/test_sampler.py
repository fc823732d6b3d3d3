"""The thread ticks on deadlines, notices the end at once, and never outlives its owner."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from itertools import pairwise

from memdash.errors import AccessDenied, TargetExited
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Fact, Sample
from memdash.model.target import Ending
from memdash.sampling.clock import SystemClock
from memdash.sampling.roster import Roster
from memdash.sampling.sampler import Sampler
from tests.fakes import FakeProbe, memstats
from tests.sampling.watched import GO, PATIENCE_S, Actor, Ear, PipeWatch, answering


def sampler(probe: FakeProbe, watch: PipeWatch, ear: Ear, interval_s: float = 60.0) -> Sampler:
    clock = SystemClock()
    return Sampler(lambda: Roster([probe], {}, clock), watch, clock, interval_s, ear)


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
    assert all(later - earlier > 0.02 for earlier, later in pairwise(times[1:]))


def test_what_is_asked_for_is_done_at_once_by_who_can_with_a_look_before_and_after() -> None:
    ear, actor, clock = Ear(), Actor(), SystemClock()
    heaps = iter([500, 400, 300, 200, 100, 50])
    probe = FakeProbe(lambda: (memstats(next(heaps)),), frozenset({Capability.MEMSTATS}))
    watched = Sampler(lambda: Roster([probe], {}, clock, [actor]), PipeWatch(), clock, 60.0, ear)
    watched.start()
    try:
        assert ear.first.wait(PATIENCE_S)
        for action in (Action.FORCE_GC, Action.TRIM, Action.FORCE_GC, Action.LOAD_AGENT):
            ear.done.clear()
            watched.ask(action)
            assert ear.done.wait(PATIENCE_S)
    finally:
        watched.stop()
    done, refused, failed, unknown = ear.deeds
    assert (done.words, done.failed, done.action) == ("12 objects freed", False, Action.FORCE_GC)
    assert isinstance(done.before.memstats, MemStats)
    assert isinstance(done.after.memstats, MemStats)
    assert (done.before.memstats.HeapAlloc, done.after.memstats.HeapAlloc) == (400, 300)
    assert (refused.words, refused.failed) == ("No agent. Press a", True)
    assert (failed.words, failed.failed) == ("It is busy", True)
    assert (unknown.words, unknown.failed) == ("Nothing here can do that", True)
    assert ear.news == ["hello"]
    assert isinstance(ear.offers[Action.TRIM], Missing)
    assert actor.closed == 1


class BrokenActor(Actor):
    """memdash's own code goes wrong in it, at every turn."""

    def offers(self) -> Mapping[Action, Maybe[str]]:
        raise TypeError("cannot unpack")

    def news(self) -> tuple[str, ...]:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    def close(self) -> None:
        super().close()
        raise OSError("no such file")


def test_a_defect_in_who_acts_costs_its_offers_and_not_the_watch() -> None:
    ear, actor, watch, clock = Ear(), BrokenActor(), PipeWatch(), SystemClock()
    probe = FakeProbe(answering, GO)
    watched = Sampler(lambda: Roster([probe], {}, clock, [actor]), watch, clock, 60.0, ear)
    watched.start()
    assert ear.first.wait(PATIENCE_S)
    watched.ask(Action.TRIM)
    assert ear.done.wait(PATIENCE_S)
    watched.stop()
    assert ear.error is None
    assert ear.news == []
    assert set(ear.offers) == set(Action)
    for offer in ear.offers.values():
        assert isinstance(offer, Missing)
        assert offer.why == "a defect of memdash: TypeError: cannot unpack"
    (deed,) = ear.deeds
    assert deed.failed
    assert deed.words.startswith("A defect of memdash: TypeError")
    assert watch.closed.wait(PATIENCE_S)
    assert (actor.closed, probe.closed) == (1, 1)


def test_another_who_can_do_it_is_found_beside_a_broken_one() -> None:
    readers = Roster([], {}, SystemClock(), [BrokenActor(), Actor()])
    assert readers.offers()[Action.FORCE_GC] == "runs gc.collect()"
    assert readers.news() == ("hello",)
    assert readers.act(Action.FORCE_GC).words == "12 objects freed"
