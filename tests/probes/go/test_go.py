"""The entry: what it says of processes that it does not read, and what it does when they change under its hands."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.errors import AccessDenied, BadRead, TargetExited, UnsupportedRuntime
from memdash.model.gc import Cycle, GcStats
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.profile import Profile
from memdash.model.target import Target
from memdash.probes.go import GO
from memdash.probes.go.counters import CounterReader
from memdash.probes.go.probes import HeapProfileProbe, MemStatsProbe, why_no_profile
from memdash.probes.probe import Attachment, Refusal
from memdash.process.identity import identify, require_same
from tests.probes.go.runtime import FakeRuntime

Start = Callable[..., subprocess.Popen[bytes]]


def test_a_program_that_is_not_go(start: Start) -> None:
    target = identify(start("cat").pid)
    assert GO.fitness(target) == Refusal("not a Go program", "")
    with pytest.raises(UnsupportedRuntime, match="not a Go program"):
        GO.attach(target)


def test_a_process_that_has_ended(start: Start) -> None:
    child = start("cat")
    target = identify(child.pid)
    child.kill()
    child.wait()
    verdict = GO.fitness(target)
    assert isinstance(verdict, Refusal)
    assert "gone" in verdict.why
    with pytest.raises(TargetExited):
        GO.attach(target)


def test_a_pid_that_runs_another_program_by_now(start: Start) -> None:
    target = identify(start("cat").pid)
    require_same(target)
    device, inode = target.exe_id
    for other in ((device, inode + 1), (device + 1, inode)):
        with pytest.raises(TargetExited, match="runs another program now"):
            require_same(replace(target, exe_id=other))
        with pytest.raises(TargetExited):
            GO.attach(replace(target, exe_id=other))


def test_a_process_of_somebody_else(start: Start, as_nobody: Callable[[Callable[[], str]], str]) -> None:
    target = identify(start("cat").pid)
    assert "cannot be opened" in as_nobody(lambda: repr(GO.fitness(target)))
    assert as_nobody(lambda: repr(GO.attach(target))).startswith(AccessDenied.__name__)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_nothing_stays_open_when_attaching_fails(start: Start) -> None:
    target = identify(start("cat").pid)
    before = open_files()
    for _ in range(3):
        GO.fitness(target)
        with pytest.raises(UnsupportedRuntime):
            GO.attach(target)
    assert open_files() == before


def test_a_profiler_that_runs_is_read(runtime: FakeRuntime) -> None:
    assert why_no_profile(runtime.program) is None
    runtime.bucket(16, [1], (1, 0, 0, 0, 0, 0, 0, 0))
    (profile,) = HeapProfileProbe(runtime.program).read().facts
    assert isinstance(profile, Profile)
    assert len(profile.sites) == 1


@pytest.mark.parametrize(
    ("is_disabled", "why"), [(1, "does not link Go's heap profiler"), (0, "has switched Go's heap profiler off")]
)
def test_why_there_is_no_profile(runtime: FakeRuntime, is_disabled: int, why: str) -> None:
    runtime.word("MemProfileRate", 0)
    runtime.word("disableMemoryProfiling", is_disabled, size=1)
    missing = why_no_profile(runtime.program)
    assert isinstance(missing, Missing)
    assert why in missing.why
    assert missing.hint


def test_a_profiler_that_was_not_located(runtime: FakeRuntime) -> None:
    program = replace(runtime.program, addresses={**runtime.addresses, "mbuckets": 0})
    located = {name: address for name, address in program.addresses.items() if name != "mbuckets"}
    missing = why_no_profile(replace(program, addresses=located))
    assert missing is not None
    assert "could not be located" in missing.why


@pytest.fixture
def probe(runtime: FakeRuntime) -> MemStatsProbe:
    return MemStatsProbe(runtime.program, CounterReader(runtime.program))


def facts(probe: MemStatsProbe) -> tuple[MemStats, GcStats]:
    stats, gc = probe.read().facts
    assert isinstance(stats, MemStats)
    assert isinstance(gc, GcStats)
    return stats, gc


def test_one_read_brings_memstats_and_the_collector(runtime: FakeRuntime, probe: MemStatsProbe) -> None:
    runtime.heap("largeAlloc", 1000)
    stats, gc = facts(probe)
    assert (stats.HeapAlloc, gc.count) == (1000, 0)
    assert probe.read().caveats == ()


def test_what_only_grows_never_falls(runtime: FakeRuntime, probe: MemStatsProbe) -> None:
    for counted, shown in ((1000, 1000), (900, 1000), (1100, 1100)):
        runtime.heap("largeAlloc", counted)
        runtime.heap("smallAllocCount", counted, index=3)
        stats, _ = facts(probe)
        assert stats.TotalAlloc == shown + 24 * shown


def test_a_look_at_a_bad_moment_is_told_and_no_measure_for_the_next(runtime: FakeRuntime, probe: MemStatsProbe) -> None:
    probe.read()
    runtime.heap("inHeap", 8192)
    runtime.heap("largeAlloc", 5000)
    assert probe.read().caveats == ("the heap changed while it was read",)
    runtime.heap("inHeap", 0)
    runtime.heap("largeAlloc", 3000)
    stats, _ = facts(probe)
    assert stats.TotalAlloc == 3000


def test_cycle_times_are_remembered_while_the_next_cycle_runs(runtime: FakeRuntime, probe: MemStatsProbe) -> None:
    runtime.set("memstats", "mstats", "numgc", 4, size=4)
    runtime.set("memstats", "mstats", "last_gc_nanotime", 200)
    runtime.set("work", "workType", "cycles", 4, size=4)
    runtime.set("work", "workType", "tEnd", 200)
    _, done = facts(probe)
    runtime.set("work", "workType", "cycles", 5, size=4)
    runtime.set("work", "workType", "tSweepTerm", 300)
    _, running = facts(probe)
    assert running.last_cycle == done.last_cycle
    assert isinstance(running.last_cycle, Cycle)


def test_closing_either_probe_twice(runtime: FakeRuntime, probe: MemStatsProbe) -> None:
    profile = HeapProfileProbe(runtime.program)
    for each in (probe, profile, probe, profile):
        each.close()


@pytest.mark.parametrize(("age_s", "tries"), [(0.0, 3), (60.0, 1)])
def test_a_program_that_has_only_just_started_is_tried_again(
    start: Start, monkeypatch: pytest.MonkeyPatch, age_s: float, tries: int
) -> None:
    target = replace(identify(start("cat").pid), started_at_s=time.time() - age_s)
    tried: list[Target] = []

    def attach(target: Target, *, with_ids: bool) -> Attachment:
        tried.append(target)
        if len(tried) < 3:
            raise BadRead("not yet")
        return Attachment(())

    monkeypatch.setattr("memdash.probes.go.attach.attach_once", attach)
    if tries == 1:
        with pytest.raises(BadRead):
            GO.attach(target)
    else:
        assert GO.attach(target) == Attachment(())
    assert len(tried) == tries
