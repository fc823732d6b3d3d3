"""A failing probe costs its own figures and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

import pytest

from memdash.errors import AgentUnreachable, BadRead, TargetExited
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing
from memdash.model.objects import Objects, TypeCount
from memdash.model.profile import Frame, Profile
from memdash.model.sample import Fact, Reading, Sample
from memdash.model.system import SystemStats
from memdash.sampling.roster import Roster
from memdash.sampling.trends import Trends
from tests.fakes import FakeClock, FakeProbe, a_gc, a_profile, a_system, memstats

GO = frozenset({Capability.MEMSTATS, Capability.GC})
SYSTEM = frozenset({Capability.SYSTEM})
SITES = frozenset({Capability.SITES})


def refuse() -> NoReturn:
    raise BadRead("address 0x10 is not mapped", "try again")


def roster(clock: FakeClock, *probes: FakeProbe) -> Roster:
    return Roster(probes, {Capability.SMAPS: Missing("not allowed", "use sudo")}, clock)


def tick(readers: Roster, clock: FakeClock, seconds: float = 1.0) -> Sample:
    return list(readers.tick(clock.advance(seconds)))[-1]


@dataclass
class Loaded:
    """An agent that is there at once, later, or never; forcing a GC is refused."""

    is_there: bool

    def offers(self) -> Mapping[Action, Maybe[str]]:
        return {
            Action.LOAD_AGENT: "writes into it" if not self.is_there else Missing("it is there"),
            Action.FORCE_GC: "collects" if self.is_there else Missing("the agent is not there", "load it"),
        }

    def act(self, action: Action) -> str:
        if action is Action.FORCE_GC:
            raise AgentUnreachable("it does not answer", "wait")
        self.offers = lambda: dict.fromkeys(Action, Missing("waiting"))  # type: ignore[method-assign]
        return "waiting"

    def cancel(self) -> None: ...

    def news(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None: ...


def test_an_agent_that_has_not_come_yet_is_only_begun() -> None:
    deed = Roster((), {}, FakeClock(), actors=(Loaded(is_there=False),)).act(Action.LOAD_AGENT)
    assert (deed.begun, deed.failed, deed.words) == (True, False, "waiting")


def test_why_and_what_helps_are_told_apart() -> None:
    refused = Roster((), {}, FakeClock(), actors=(Loaded(is_there=False),)).act(Action.FORCE_GC)
    assert refused.outcome == Missing("the agent is not there", "load it")
    failed = Roster((), {}, FakeClock(), actors=(Loaded(is_there=True),)).act(Action.FORCE_GC)
    assert failed.outcome == Missing("it does not answer", "wait")
    assert not failed.begun


def test_readings_are_joined_with_where_and_when() -> None:
    clock = FakeClock()
    sample = tick(
        roster(clock, FakeProbe(lambda: (memstats(), a_gc()), GO), FakeProbe(lambda: (a_system(),), SYSTEM)), clock
    )
    assert isinstance(sample.memstats, MemStats)
    assert isinstance(sample.system, SystemStats)
    assert sample.origins[Capability.GC].at == clock.now()
    assert sample.smaps == Missing("not allowed", "use sudo")
    assert isinstance(sample.sites, Missing)


def test_a_failure_is_marked_at_once_and_the_old_value_given_up_later() -> None:
    clock = FakeClock()
    answers: list[Fact] = [memstats()]
    go = FakeProbe(lambda: (answers[0],) if answers else refuse(), GO)
    readers = roster(clock, go, FakeProbe(lambda: (a_system(),), SYSTEM))
    assert not tick(readers, clock).origins[Capability.MEMSTATS].failing
    answers.clear()
    first = tick(readers, clock)
    assert isinstance(first.memstats, MemStats)
    assert first.origins[Capability.MEMSTATS].failing == "address 0x10 is not mapped"
    for _ in range(40):
        last = tick(readers, clock, 5.0)
    assert last.memstats == Missing("address 0x10 is not mapped", "try again")
    assert Capability.MEMSTATS not in last.origins
    assert isinstance(last.system, SystemStats)
    answers.append(memstats())
    assert isinstance(tick(readers, clock, 61.0).memstats, MemStats)


class ComesAndGoes:
    """A probe of something that the target may begin and stop doing."""

    name = "fake.tracing"
    capabilities = SITES
    cadence_s = 0.0

    def __init__(self) -> None:
        self.is_on = False

    def read(self) -> Reading:
        if not self.is_on:
            return Reading(Source.MEMORY, (), absent=Missing("it does not trace", "start it with --trace"))
        return Reading(Source.MEMORY, (a_profile(),))

    def close(self) -> None:
        """It holds nothing."""


def test_what_comes_and_goes_is_missing_in_between_and_is_no_failure() -> None:
    clock, tracing = FakeClock(), ComesAndGoes()
    readers = Roster([tracing], {}, clock)
    for is_on in (False, True, False, True):
        tracing.is_on = is_on
        sample = tick(readers, clock)
        assert isinstance(sample.sites, Profile) is is_on
        assert (Capability.SITES in sample.origins) is is_on
        if not is_on:
            assert sample.sites == Missing("it does not trace", "start it with --trace")


def test_a_defect_costs_no_more_than_the_probe_that_has_it() -> None:
    clock = FakeClock()
    broken = FakeProbe(lambda: (memstats(),) * (1 // 0), GO)
    sample = tick(roster(clock, broken, FakeProbe(lambda: (a_system(),), SYSTEM)), clock)
    assert isinstance(sample.memstats, Missing)
    assert sample.memstats.why.startswith("a defect of memdash: ZeroDivisionError")
    assert isinstance(sample.system, SystemStats)


def test_an_exit_passes_through() -> None:
    clock = FakeClock()

    def gone() -> tuple[Fact, ...]:
        raise TargetExited("pid 1 has ended")

    with pytest.raises(TargetExited):
        tick(roster(clock, FakeProbe(gone, GO)), clock)


def test_quick_probes_are_published_before_slow_ones() -> None:
    clock = FakeClock()
    order: list[str] = []

    def profile() -> tuple[Fact, ...]:
        order.append("sites")
        return (a_profile(),)

    def stats() -> tuple[Fact, ...]:
        order.append("memstats")
        return (memstats(),)

    readers = roster(clock, FakeProbe(profile, SITES, cadence_s=2.0), FakeProbe(stats, GO))
    samples = readers.tick(clock.now())
    first = next(samples)
    assert order == ["memstats"]
    assert isinstance(first.sites, Missing)
    assert isinstance(next(samples).sites, Profile)


@pytest.mark.parametrize(("takes_s", "samples"), [(0.01, 2), (0.2, 3)])
def test_the_news_of_slow_probes_come_together_unless_one_takes_long(takes_s: float, samples: int) -> None:
    clock = FakeClock()

    def slowly(fact: Fact) -> Callable[[], tuple[Fact, ...]]:
        def read() -> tuple[Fact, ...]:
            clock.advance(takes_s)
            return (fact,)

        return read

    readers = roster(
        clock,
        FakeProbe(lambda: (memstats(),), GO),
        FakeProbe(slowly(a_profile()), SITES, cadence_s=2.0),
        FakeProbe(slowly(Objects(())), frozenset({Capability.OBJECTS}), cadence_s=2.0),
    )
    told = list(readers.tick(clock.now()))
    assert len(told) == samples
    assert isinstance(told[0].sites, Missing)
    assert isinstance(told[-1].objects, Objects)


def test_what_slow_probes_are_known_to_read_fast_is_told_with_the_rest() -> None:
    clock = FakeClock()
    takes_s = [0.01, 0.01, 0.2, 0.01, 0.01]

    def profile() -> tuple[Fact, ...]:
        clock.advance(takes_s.pop(0))
        return (a_profile(),)

    readers = roster(clock, FakeProbe(lambda: (memstats(),), GO), FakeProbe(profile, SITES, cadence_s=1.0))
    told = [len(list(readers.tick(clock.advance(1.0)))) for _ in range(5)]
    assert told == [2, 1, 1, 2, 1]  # the first nobody knows; after a slow one the quick facts are told at once


def test_closing_closes_all() -> None:
    clock = FakeClock()
    probe = FakeProbe(lambda: (), GO)
    roster(clock, probe).close()
    assert probe.closed == 1


def objects_in(slices: list[float], clock: FakeClock, takes_s: float = 0.0) -> Callable[[], Reading]:
    """Pending until the slices are used up; each takes so much CPU time, and ``takes_s`` on the wall."""

    def read() -> Reading:
        clock.advance(takes_s)
        clock.cpu_s += slices.pop(0)
        if slices:
            return Reading(Source.MEMORY, (), pending=f"{len(slices)} to go")
        return Reading(Source.MEMORY, (Objects((TypeCount("dict", 3, 192),)),))

    return read


def test_what_is_read_in_slices_says_how_far_it_is() -> None:
    clock = FakeClock()
    probe = FakeProbe(lambda: (), frozenset({Capability.OBJECTS}), cadence_s=3.0)
    probe.read = objects_in([0.01, 0.01, 0.01], clock)  # type: ignore[method-assign]
    readers = roster(clock, probe)
    assert tick(readers, clock).objects == Missing("2 to go")
    assert tick(readers, clock).objects == Missing("1 to go")
    assert isinstance(tick(readers, clock).objects, Objects)


def test_a_slice_that_adds_nothing_to_what_is_known_makes_no_sample() -> None:
    clock = FakeClock()
    probe = FakeProbe(lambda: (), frozenset({Capability.OBJECTS}), cadence_s=1.0)
    probe.read = objects_in([0.0], clock, takes_s=0.1)  # type: ignore[method-assign]
    readers = roster(clock, probe)
    assert len(list(readers.tick(clock.advance(1.0)))) == 2
    probe.read = objects_in([0.0, 0.0], clock, takes_s=0.1)  # type: ignore[method-assign]
    assert len(list(readers.tick(clock.advance(1.0)))) == 1
    assert len(list(readers.tick(clock.advance(1.0)))) == 2


def test_a_single_reading_waits_for_the_last_slice_but_not_for_ever() -> None:
    clock = FakeClock()
    probe = FakeProbe(lambda: (), frozenset({Capability.OBJECTS}))
    probe.read = objects_in([0.125] * 20, clock)  # type: ignore[method-assign]
    readers = roster(clock, probe)
    assert tick(readers, clock).objects == Missing("19 to go")
    (sample,) = readers.finish(1.0)
    assert sample.objects == Missing("11 to go")
    (sample,) = readers.finish(10.0)
    assert isinstance(sample.objects, Objects)
    assert list(readers.finish(10.0)) == []


def test_trends_are_bounded_and_forget_what_vanished() -> None:
    trends = Trends[Frame](most=3, length=4)
    frames = [Frame(f"main.f{n}", "main.go", n) for n in range(50)]
    for turn in range(20):
        trends.add({frame: 100 * n + turn for n, frame in enumerate(frames)})
    assert trends.of(frames[49]) == (4916, 4917, 4918, 4919)
    assert trends.of(frames[0]) == ()
    for _ in range(4):
        trends.add({})
    assert trends.of(frames[49]) == ()


def test_closing_goes_on_after_one_that_fails_and_tells_it() -> None:
    class Stuck(FakeProbe):
        def close(self) -> None:
            super().close()
            raise OSError("bad file descriptor")

    probes = [FakeProbe(lambda: (), GO), Stuck(lambda: (), SYSTEM), FakeProbe(lambda: (), SITES)]
    with pytest.raises(OSError, match="bad file descriptor"):
        roster(FakeClock(), *probes).close()
    assert [probe.closed for probe in probes] == [1, 1, 1]


@dataclass
class SlowProbe:
    """Finishes at the third attempt, and then wants to be left alone for longer."""

    name: str = "slow"
    capabilities: frozenset[Capability] = SITES
    cadence_s: float = 2.0
    attempts: int = 0

    def read(self) -> Reading:
        self.attempts += 1
        if self.attempts % 3:
            return Reading(Source.ENDPOINT, (), pending="it has been asked")
        self.cadence_s = 30.0
        return Reading(Source.ENDPOINT, (a_profile(),))

    def close(self) -> None:
        """Nothing to close."""


def test_a_look_out_of_turn_waits_for_what_is_pending() -> None:
    sample = Roster((SlowProbe(),), {}, FakeClock()).look(SITES)
    assert isinstance(sample.sites, Profile)


@dataclass
class Awaited:
    """Answers ``takes_s`` after it was asked with the number of the question; each look takes a tenth of a second."""

    clock: FakeClock
    takes_s: float
    name: str = "awaited"
    capabilities: frozenset[Capability] = SITES
    cadence_s: float = 2.0
    asked: int = 0
    asked_at_s: float | None = None
    on_read: Callable[[], object] = lambda: None

    def read(self) -> Reading:
        self.on_read()
        if self.asked_at_s is None:
            self.asked, self.asked_at_s = self.asked + 1, self.clock.mono_s
        self.clock.advance(0.1)
        if self.clock.mono_s - self.asked_at_s < self.takes_s:
            return Reading(Source.ENDPOINT, (), pending="it has not answered yet")
        self.asked_at_s = None
        return Reading(Source.ENDPOINT, (replace(a_profile(), sample_rate_bytes=self.asked),))

    def close(self) -> None:
        """Nothing to close."""


def test_a_look_out_of_turn_waits_for_two_seconds_and_shows_nothing_older() -> None:
    clock = FakeClock()
    probe = Awaited(clock, takes_s=0.1)
    readers = Roster((probe,), {}, clock)
    assert isinstance(readers.look(SITES).sites, Profile)
    probe.takes_s = 60.0
    began_s = clock.mono_s
    assert readers.look(SITES).sites == Missing("it has not answered yet")
    assert clock.mono_s - began_s == pytest.approx(2.0, abs=0.2)
    assert isinstance(readers.look(SITES, wall_s=150.0).sites, Profile)


def test_an_answer_to_an_earlier_question_is_not_taken_for_a_look() -> None:
    clock = FakeClock()
    readers = Roster((Awaited(clock, takes_s=0.5),), {}, clock)
    assert isinstance(tick(readers, clock).sites, Missing)
    sites = readers.look(SITES).sites
    assert isinstance(sites, Profile)
    assert sites.sample_rate_bytes == 2


def test_whoever_is_let_go_waits_for_no_answer() -> None:
    clock = FakeClock()
    probe = Awaited(clock, takes_s=60.0)
    readers = Roster((probe,), {}, clock)
    probe.on_read = readers.cancel
    assert isinstance(readers.look(SITES).sites, Missing)
    assert list(readers.finish(10.0))
    assert clock.mono_s == pytest.approx(FakeClock().mono_s + 0.1)


def test_what_was_raised_is_kept_with_the_deed() -> None:
    failed = Roster((), {}, FakeClock(), actors=(Loaded(is_there=True),)).act(Action.FORCE_GC)
    assert isinstance(failed.error, AgentUnreachable)
    refused = Roster((), {}, FakeClock(), actors=(Loaded(is_there=False),)).act(Action.FORCE_GC)
    assert refused.error is None


def test_a_pace_that_a_probe_changes_is_kept() -> None:
    clock, probe = FakeClock(), SlowProbe()
    readers = Roster((probe,), {}, clock)
    for _ in range(3):
        tick(readers, clock)
    assert probe.attempts == 3
    for _ in range(29):
        tick(readers, clock)
    assert probe.attempts == 3
    tick(readers, clock)
    assert probe.attempts == 4
