"""What is asked for is done beside the reading, one thing after another, by whoever can."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from memdash.errors import BadRead, TargetExited
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing, known
from memdash.model.sample import Fact
from memdash.model.target import Ending
from memdash.sampling.clock import SystemClock
from memdash.sampling.roster import Roster
from memdash.sampling.sampler import Sampler
from tests.fakes import FakeProbe, memstats
from tests.sampling.heard import GO, PATIENCE_S, Ear, PipeWatch, answering


class Actor:
    """Offers to force a collection, and refuses to trim."""

    def __init__(self) -> None:
        self.acted: list[Action] = []
        self.closed = 0

    def offers(self) -> Mapping[Action, Maybe[str]]:
        return {Action.FORCE_GC: "runs gc.collect()", Action.TRIM: Missing("no agent", "press a")}

    def act(self, action: Action) -> str:
        if self.acted:
            raise BadRead("it is busy")
        self.acted.append(action)
        return "12 objects freed"

    def cancel(self) -> None:
        """What it does is done at once."""

    def news(self) -> tuple[str, ...]:
        return ("hello",) if not self.acted else ()

    def close(self) -> None:
        self.closed += 1


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
    assert (unknown.words, unknown.failed) == (
        "The agent is for CPython, and of this program memdash knows no runtime",
        True,
    )
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


class HeldUp(Actor):
    """Waits for a target that does not answer, until it does or that is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.is_acting, self._cancelled, self.answers = threading.Event(), threading.Event(), threading.Event()
        self.at_once, self.most_at_once = 0, 0

    def act(self, action: Action) -> str:
        self.acted.append(action)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.is_acting.set()
        try:
            assert self.answers.wait(10 * PATIENCE_S)
        finally:
            self.at_once -= 1
        if self._cancelled.is_set():
            raise BadRead("the watch has ended")
        return "done at last"

    def cancel(self) -> None:
        self._cancelled.set()
        self.answers.set()

    def offers(self) -> Mapping[Action, Maybe[str]]:
        return dict.fromkeys(Action, "does it")

    def close(self) -> None:
        assert not self.at_once
        super().close()


def held_up(ear: Ear, watch: PipeWatch, actor: HeldUp, probe: FakeProbe, interval_s: float) -> Sampler:
    clock = SystemClock()
    watched = Sampler(lambda: Roster([probe], {}, clock, [actor]), watch, clock, interval_s, ear)
    watched.start()
    assert ear.first.wait(PATIENCE_S)
    for action in (Action.FORCE_GC, Action.TRIM):
        watched.ask(action)
    assert actor.is_acting.wait(PATIENCE_S)
    return watched


def test_stopping_does_not_wait_for_what_is_being_done_and_closes_all() -> None:
    ear, actor, watch = Ear(), HeldUp(), PipeWatch()
    watched = held_up(ear, watch, actor, FakeProbe(answering, GO), 60.0)
    watched.stop()
    assert watch.closed.wait(PATIENCE_S)
    assert actor.closed == 1
    assert [deed.action for deed in ear.deeds] == [Action.FORCE_GC]
    assert ear.deeds[0].words == "The watch has ended"


def test_what_is_read_does_not_wait_for_what_is_being_done() -> None:
    ear, actor, readings, enough = Ear(), HeldUp(), list[int](), threading.Event()

    def growing() -> tuple[Fact, ...]:
        readings.append(len(readings))
        if ear.samples and len(ear.samples) >= 10:
            enough.set()
        return (memstats(len(readings)),)

    watched = held_up(ear, PipeWatch(), actor, FakeProbe(growing, GO), 0.01)
    try:
        assert enough.wait(PATIENCE_S)
        assert actor.acted == [Action.FORCE_GC]
        assert ear.deeds == []
        answered_at = len(readings)
        actor.answers.set()
        assert ear.done.wait(PATIENCE_S)
    finally:
        watched.stop()
    assert actor.most_at_once == 1
    before, after = ear.deeds[0].before.memstats, ear.deeds[0].after.memstats
    assert isinstance(before, MemStats)
    assert isinstance(after, MemStats)
    assert 0 < known(before.HeapAlloc, 0) <= answered_at - 5
    assert known(after.HeapAlloc, 0) > answered_at
    assert ear.deeds[0].words == "done at last"


def test_the_loop_is_woken_when_it_is_done_and_the_next_begins() -> None:
    ear, actor = Ear(), HeldUp()
    watched = held_up(ear, PipeWatch(), actor, FakeProbe(answering, GO), 60.0)
    assert [action for action in Action if watched.is_asked(action)] == [Action.FORCE_GC, Action.TRIM]
    actor.answers.set()
    try:
        while len(ear.deeds) < 2:
            assert ear.done.wait(PATIENCE_S)
            ear.done.clear()
        assert not any(map(watched.is_asked, Action))
    finally:
        watched.stop()
    assert [deed.action for deed in ear.deeds] == [Action.FORCE_GC, Action.TRIM]
    assert actor.most_at_once == 1


def test_a_target_that_ends_meanwhile_is_told_at_once_after_what_came_of_it() -> None:
    ear, actor, watch = Ear(), HeldUp(), PipeWatch()
    held_up(ear, watch, actor, FakeProbe(answering, GO), 60.0)
    watch.end(Ending(at_s=1.0, signal_number=9))
    assert ear.over.wait(PATIENCE_S)
    assert [deed.words for deed in ear.deeds] == ["The watch has ended"]
    assert isinstance(ear.deeds[0].after.memstats, Missing)
    assert ear.ending is not None
    assert watch.closed.wait(PATIENCE_S)
    assert actor.closed == 1


def test_who_acts_may_find_the_target_gone() -> None:
    class Late(HeldUp):
        def act(self, action: Action) -> str:
            self.is_acting.set()
            watch.end(Ending(at_s=1.0, exit_code=3))
            raise TargetExited("gone")

    ear, watch = Ear(), PipeWatch()
    held_up(ear, watch, Late(), FakeProbe(answering, GO), 60.0)
    assert ear.over.wait(PATIENCE_S)
    assert ear.ending == Ending(at_s=1.0, exit_code=3)
    assert ear.error is None
