"""What is done to a target holds up neither what is read nor the end."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from memdash.errors import BadRead, TargetExited
from memdash.model.action import Action
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing, known
from memdash.model.sample import Fact
from memdash.model.target import Ending
from memdash.sampling.clock import SystemClock
from memdash.sampling.roster import Roster
from memdash.sampling.sampler import Sampler
from tests.fakes import FakeProbe, memstats
from tests.sampling.watched import GO, PATIENCE_S, Actor, Ear, PipeWatch, answering


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
    actor.answers.set()
    try:
        while len(ear.deeds) < 2:
            assert ear.done.wait(PATIENCE_S)
            ear.done.clear()
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
