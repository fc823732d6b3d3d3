"""A session attaches, samples, remembers, judges, and survives its target."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from memdash.errors import AccessDenied, LayoutRefused, TargetError, TargetExited
from memdash.model.action import Action, Deed
from memdash.model.capability import Capability
from memdash.model.finding import Severity
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing
from memdash.model.objects import Objects
from memdash.model.sample import Fact
from memdash.model.snapshot import Snapshot, State
from memdash.model.system import SystemStats
from memdash.model.target import Ending, Runtime, Silence, Target
from memdash.probes.probe import Attachment, Fit, Refusal
from memdash.sampling.clock import SystemClock
from memdash.session import Live, read_once
from memdash.session.attach import attach
from memdash.session.memory import Memory
from memdash.session.opening import LOOKED_FOR
from memdash.session.passing import Passing
from tests.fakes import FakeProbe, a_gc, a_profile, a_system, a_target, memstats
from tests.session.heard import StillWatch, wait_for
from tests.waiting import until

PATIENCE_S = 10.0
GO = frozenset({Capability.MEMSTATS, Capability.GC, Capability.SITES})
SYSTEM = frozenset({Capability.SYSTEM})
OBJECTS = frozenset({Capability.OBJECTS})


@dataclass
class FakeEntry:
    """A way of reading that answers ``facts``, or refuses, or fails to attach."""

    name: str
    capabilities: frozenset[Capability]
    facts: Callable[[], tuple[Fact, ...]]
    verdict: Fit | Refusal
    failure: Exception | None = None
    probes: list[FakeProbe] = field(default_factory=list)
    wanted_for: frozenset[Action] = frozenset()

    def fitness(self, target: Target) -> Fit | Refusal:
        return self.verdict

    def attach(self, target: Target) -> Attachment:
        if self.failure is not None:
            raise self.failure
        self.probes.append(FakeProbe(self.facts, self.capabilities, name=self.name))
        return Attachment(tuple(self.probes), log=(f"{self.name} attached",))


@pytest.mark.parametrize(
    ("outcome", "begun", "severity"),
    [
        ("it is there", False, Severity.OK),
        ("getting ready", True, Severity.INFO),
        (Missing("refused"), False, Severity.WARNING),
    ],
)
def test_what_is_only_begun_is_not_told_as_done(outcome: Maybe[str], begun: bool, severity: Severity) -> None:
    live = Live(a_target(), entries=())
    seen = live.snapshot().sample
    live.on_deed(Deed(action=Action.LOAD_AGENT, outcome=outcome, took_s=0.0, before=seen, after=seen, begun=begun))
    assert live.snapshot().findings[0].severity is severity


def go(**changes: object) -> FakeEntry:
    fit = Fit(100, GO, Runtime.GO, "go1.27.3")
    entry = FakeEntry("go", GO, lambda: (memstats(), a_gc(), a_profile()), fit)
    for name, value in changes.items():
        setattr(entry, name, value)
    return entry


def system() -> FakeEntry:
    return FakeEntry("system", SYSTEM, lambda: (a_system(),), Fit(1, SYSTEM, Runtime.NATIVE))


Start = Callable[..., tuple[Live, queue.Queue[Snapshot], StillWatch]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a session over fake entries; its snapshots come through a queue."""
    opened: list[Live] = []

    def begin(*entries: FakeEntry, memory: Memory | None = None) -> tuple[Live, queue.Queue[Snapshot], StillWatch]:
        watch, heard = StillWatch(), queue.Queue[Snapshot]()
        target = a_target(runtime=Runtime.NATIVE, runtime_version="")
        live = Live(target, watch=watch, entries=entries, interval_s=0.02, memory=memory)
        live.subscribe(heard.put)
        opened.append(live)
        live.start()
        return live, heard, watch

    yield begin
    for live in opened:
        live.close()


def test_before_the_first_sample_there_is_a_snapshot() -> None:
    live = Live(a_target(), watch=StillWatch(), entries=())
    assert live.snapshot().state is State.ATTACHING
    assert isinstance(live.snapshot().sample.memstats, Missing)
    live.close()


def test_a_live_snapshot_has_everything(start: Start) -> None:
    _, heard, _ = start(go(), system())
    shown = wait_for(heard, lambda s: s.state is State.LIVE)
    assert isinstance(shown.sample.memstats, MemStats)
    assert isinstance(shown.sample.system, SystemStats)
    assert shown.target.runtime is Runtime.GO
    assert shown.target.runtime_version == "go1.27.3"
    assert not isinstance(shown.groups, Missing)
    assert shown.groups[0].frame.function == "cart.(*Store).Add"
    assert [f.summary for f in shown.findings] == ["go attached", "system attached"][::-1]
    assert Capability.SYSTEM not in shown.missing


def test_a_refused_runtime_leaves_the_system_view_and_the_reason(
    start: Start,
) -> None:
    _, heard, _ = start(go(failure=LayoutRefused("2 of 14 invariants fail", "please report it")), system())
    shown = wait_for(heard, lambda s: s.state is State.LIVE)
    assert shown.sample.memstats == Missing("2 of 14 invariants fail", "please report it")
    assert isinstance(shown.sample.system, SystemStats)
    assert shown.missing[Capability.SITES].why == "2 of 14 invariants fail"
    assert shown.target.runtime is Runtime.NATIVE


def test_who_could_add_nothing_is_not_asked(start: Start) -> None:
    second = go(name="second")
    _, heard, _ = start(go(), second, system())
    wait_for(heard, lambda s: s.state is State.LIVE)
    assert second.probes == []


def test_what_does_not_fit_says_why(start: Start) -> None:
    _, heard, _ = start(go(verdict=Refusal("this is no Go program")), system())
    assert wait_for(heard, lambda s: s.state is State.LIVE).sample.gc == Missing("this is no Go program")


def test_what_suits_no_runtime_is_told_of_all_of_them(start: Start) -> None:
    no_go, no_python = Refusal("this is no Go program"), Refusal("this is no CPython program")
    _, heard, _ = start(go(verdict=no_go), go(name="python", verdict=no_python), system())
    both = Missing("this is no Go program and this is no CPython program")
    assert wait_for(heard, lambda s: s.state is State.LIVE).sample.gc == both


def test_one_reason_for_all_runtimes_is_told_once(start: Start) -> None:
    closed = Refusal("its executable cannot be opened")
    _, heard, _ = start(go(verdict=closed), go(name="python", verdict=closed), system())
    assert wait_for(heard, lambda s: s.state is State.LIVE).sample.gc == Missing("its executable cannot be opened")


def test_the_reason_of_who_recognises_the_target_counts_first(start: Start) -> None:
    no_go = go(verdict=Refusal("this is no Go program"))
    closed = go(name="python", verdict=Refusal("it runs on PyPy", "a hint", recognised=True))
    for order in ((no_go, closed), (closed, no_go)):
        _, heard, _ = start(*order, system())
        assert wait_for(heard, lambda s: s.state is State.LIVE).sample.gc == Missing("it runs on PyPy", "a hint")


def test_a_defect_in_attaching_costs_that_way_of_reading_only(start: Start) -> None:
    _, heard, _ = start(go(failure=ZeroDivisionError("a defect")), system())
    shown = wait_for(heard, lambda s: s.state is State.LIVE)
    assert isinstance(shown.sample.memstats, Missing)
    assert shown.sample.memstats.why == "a defect of memdash: ZeroDivisionError: a defect"
    assert isinstance(shown.sample.system, SystemStats)


def test_nothing_readable_at_all(start: Start) -> None:
    _, heard, _ = start(go(failure=AccessDenied("pid 1 belongs to root")))
    shown = wait_for(heard, lambda s: s.state is State.REFUSED)
    assert shown.findings[0].severity is Severity.CRITICAL
    assert isinstance(shown.sample.system, Missing)
    assert "root" in shown.sample.system.why


def test_a_watch_that_fails_later_keeps_what_was_seen(start: Start) -> None:
    _, heard, watch = start(go(), system())
    wait_for(heard, lambda s: s.state is State.LIVE and not isinstance(s.groups, Missing))
    watch.failure = TargetError("process 41287 cannot be watched")
    shown = wait_for(heard, lambda s: s.state is State.REFUSED)
    assert isinstance(shown.sample.memstats, MemStats)
    assert not isinstance(shown.groups, Missing)
    assert shown.missing[Capability.MEMSTATS].why == "process 41287 cannot be watched"


def test_the_end_freezes_the_view_and_names_the_signal(
    start: Start,
) -> None:
    live, heard, watch = start(go(), system())
    wait_for(heard, lambda s: s.state is State.LIVE)
    watch.ending = Ending(at_s=1.0, signal_number=9)
    shown = wait_for(heard, lambda s: s.state is State.ENDED)
    assert shown.ending == watch.ending
    assert isinstance(shown.sample.memstats, MemStats)
    assert shown.findings[0].summary == "shop-server (pid 41287) killed by SIGKILL"
    assert [told.finding.severity for told in shown.transitions] == [Severity.CRITICAL]
    assert live.snapshot() is shown


def test_a_silence_is_told_at_once_and_that_it_is_over(start: Start) -> None:
    _, heard, watch = start(go(), system())
    wait_for(heard, lambda s: s.state is State.LIVE)
    watch.silent = Silence(1.0, "connection refused")
    shown = wait_for(heard, lambda s: s.silence is not None)
    assert shown.findings[0].summary == "shop-server does not answer: connection refused"
    assert shown.findings[0].severity is Severity.WARNING
    watch.silent = None
    shown = wait_for(heard, lambda s: s.silence is None)
    assert shown.findings[0].summary.startswith("shop-server answers again, after ")
    assert sum("does not answer" in finding.summary for finding in shown.findings) == 1


def test_an_exit_while_attaching_ends_it(start: Start) -> None:
    first = system()
    _, heard, watch = start(first, go(failure=TargetExited("pid 41287 has ended")))
    watch.ending = Ending(at_s=1.0, exit_code=0)
    shown = wait_for(heard, lambda s: s.state is State.ENDED)
    assert shown.ending == watch.ending
    assert shown.findings[0].severity is Severity.INFO
    assert shown.transitions == ()  # nobody is paged for a program that is done
    assert first.probes[0].closed == 1


def test_a_baseline_counts_from_now_and_clearing_goes_back_to_the_attach(
    start: Start,
) -> None:
    size = [1.0]
    entry = go(facts=lambda: (memstats(), a_gc(), a_profile(size[0])))
    live, heard, _ = start(entry, system())
    wait_for(heard, lambda s: s.state is State.LIVE)
    size[0] = 2.0
    grown = wait_for(heard, lambda s: not isinstance(s.groups, Missing) and s.groups[0].change.inuse_bytes > 0)
    assert not isinstance(grown.groups, Missing)
    live.mark_baseline()
    marked = live.snapshot()
    assert marked.baseline.marked
    assert not isinstance(marked.groups, Missing)
    assert all(group.change.inuse_bytes == 0 for group in marked.groups)
    assert marked.findings[0].summary == "baseline set"
    live.clear_baseline()
    back = live.snapshot()
    assert not back.baseline.marked
    assert not isinstance(back.groups, Missing)
    assert back.groups[0].change.inuse_bytes > 0


def test_a_baseline_from_before_the_first_profile_does_not_take_it_for_growth(start: Start) -> None:
    profiles: list[Fact] = []
    live, heard, _ = start(go(facts=lambda: (memstats(), a_gc(), *profiles)), system())
    wait_for(heard, lambda s: s.state is State.LIVE)
    live.mark_baseline()
    profiles.append(a_profile())
    shown = wait_for(heard, lambda s: not isinstance(s.groups, Missing))
    assert shown.baseline.marked
    assert not isinstance(shown.groups, Missing)
    assert all(group.change.inuse_bytes == 0 for group in shown.groups)


def test_a_watch_that_somebody_else_remembers_keeps_its_log_alone(start: Start) -> None:
    live, heard, _ = start(go(), system(), memory=Passing(0.02))
    live.note("seen")
    shown = wait_for(heard, lambda s: s.state is State.LIVE and "seen" in [f.summary for f in s.findings])
    assert isinstance(shown.sample.memstats, MemStats)
    assert shown.verdict is None
    assert len(shown.history.series("HeapAlloc", 60)) == 0
    assert shown.groups == ()


def test_reading_once_needs_no_thread() -> None:
    entry = go()
    shown = read_once(a_target(), entries=(entry, system()))
    assert isinstance(shown.sample.memstats, MemStats)
    assert not isinstance(shown.groups, Missing)
    assert entry.probes[0].closed == 1


def test_reading_once_raises_what_keeps_everything_from_being_read() -> None:
    with pytest.raises(AccessDenied, match="belongs to root"):
        read_once(a_target(), entries=(go(failure=AccessDenied("pid 1 belongs to root")),))


def endpoint(**changes: object) -> FakeEntry:
    """A way that somebody asked for, and that could read what memory tells too."""
    fit = Fit(50, GO, Runtime.GO)
    entry = FakeEntry("endpoint", GO, lambda: (memstats(), a_gc(), a_profile()), fit)
    entry.wanted_for = frozenset({Action.FORCE_GC})
    for name, value in changes.items():
        setattr(entry, name, value)
    return entry


def test_what_memory_tells_is_never_asked_for_again() -> None:
    asked = endpoint()
    read_once(a_target(), entries=(go(), asked, system()))
    (probe,) = asked.probes
    assert probe.closed == 1
    assert probe.reads == 0


def test_what_memory_does_not_tell_is_asked_for() -> None:
    refusing = go(verdict=Refusal("memory is closed", "use sudo"))
    snapshot = read_once(a_target(runtime=Runtime.NATIVE), entries=(refusing, endpoint(), system()))
    assert not isinstance(snapshot.sample.memstats, Missing)
    assert snapshot.target.runtime is Runtime.GO
    assert Capability.MEMSTATS not in snapshot.missing


def test_a_way_that_was_asked_for_and_does_not_suit_is_told_of_and_keeps_others_reasons() -> None:
    refusing = endpoint(verdict=Refusal("it listens on no port", "start its server"))
    live = Live(a_target(), watch=StillWatch(), entries=(go(), refusing, system()), interval_s=0.02)
    heard = queue.Queue[Snapshot]()
    live.subscribe(heard.put)
    live.start()
    try:
        shown = wait_for(heard, lambda snapshot: snapshot.actions.get(Action.FORCE_GC, LOOKED_FOR) != LOOKED_FOR)
    finally:
        live.close()
    assert shown.actions[Action.FORCE_GC] == Missing("it listens on no port", "start its server")
    assert "endpoint: it listens on no port" in [finding.summary for finding in shown.findings]
    assert not isinstance(shown.sample.memstats, Missing)
    closed = go(verdict=Refusal("memory is closed", "use sudo"))
    snapshot = read_once(a_target(), entries=(closed, refusing, system()))
    assert snapshot.missing[Capability.MEMSTATS].why == "memory is closed"


@pytest.mark.parametrize(("first", "told"), [(None, False), (Refusal("it listens on no port"), True)])
def test_of_what_was_asked_for_a_second_way_need_not_be_there(first: Refusal | None, told: bool) -> None:
    asked = endpoint() if first is None else endpoint(verdict=first)
    other = endpoint(name="gops", verdict=Refusal("no agent has left a port"))
    attached = attach(a_target(), (go(), asked, other, system()), SystemClock())
    attached.roster.close()
    assert ("gops: no agent has left a port" in attached.log) is told


@dataclass
class SlowEntry(FakeEntry):
    """Looks for whoever answers until it is told to find it."""

    found: threading.Event = field(default_factory=threading.Event)

    def attach(self, target: Target) -> Attachment:
        self.found.wait(PATIENCE_S)
        return super().attach(target)


def slow() -> SlowEntry:
    entry = SlowEntry("endpoint", OBJECTS, lambda: (Objects((), 0),), Fit(50, OBJECTS, Runtime.GO))
    entry.wanted_for = frozenset({Action.FORCE_GC})
    return entry


def test_nothing_waits_for_a_way_that_has_to_ask_somebody(start: Start) -> None:
    asked = slow()
    live, heard, _ = start(go(), asked, system())
    shown = wait_for(heard, lambda snapshot: snapshot.state is State.LIVE)
    assert isinstance(shown.sample.memstats, MemStats)
    assert shown.actions[Action.FORCE_GC] == shown.missing[Capability.OBJECTS] == LOOKED_FOR
    asked.found.set()
    shown = wait_for(heard, lambda snapshot: not isinstance(snapshot.sample.objects, Missing))
    assert Capability.OBJECTS not in shown.missing
    assert Action.FORCE_GC not in shown.actions
    assert "endpoint attached" in [finding.summary for finding in shown.findings]
    live.close()
    assert asked.probes[0].closed == 1


def test_what_is_found_too_late_is_let_go(start: Start) -> None:
    asked = slow()
    live, heard, _ = start(go(), asked)
    wait_for(heard, lambda snapshot: snapshot.state is State.LIVE)
    live.close()
    asked.found.set()
    until(lambda: asked.probes and asked.probes[0].closed, "its end")
    assert (asked.probes[0].closed, asked.probes[0].reads) == (1, 0)


def test_an_end_that_is_noticed_while_looking_ends_the_watch(start: Start) -> None:
    asked = endpoint(failure=TargetExited("gone"))
    _, heard, watch = start(go(), asked)
    watch.ending = None
    assert wait_for(heard, lambda snapshot: snapshot.state is State.ENDED).ending is not None
