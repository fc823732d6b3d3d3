"""The collector's state against what the program was told to do, its own MemStats, and the trace it writes itself."""

import os
import re
import select
from collections.abc import Iterator
from typing import IO

import pytest

from memdash.model.gc import Cycle, GcStats
from memdash.model.missing import Missing
from memdash.units import MIB
from tests.live.conftest import StartGo
from tests.live.watched import Watched, own_memstats

pytestmark = pytest.mark.live

TRACE = re.compile(r"gc (\d+) @\S+ \S+: ([\d.]+)\+([\d.]+)\+([\d.]+) ms clock.* (\d+)->(\d+)->(\d+) MB,")


@pytest.fixture
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as read_end, open(writer, "wb", buffering=0) as write_end:
        yield read_end, write_end


def test_the_last_cycle_is_as_gctrace_says(start_go: StartGo, pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    trace, stderr = pipe
    target = start_go("stripped", environment={"GODEBUG": "gctrace=1", "GOGC": "off"}, stderr=stderr)
    with Watched(target) as watched:
        for command in ("alloc 300", "churn 1", "alloc 50", "free"):
            target.command(command)
            target.command("stop")
            target.command("gc")
            gc = watched.gc()
            cycle = gc.last_cycle
            number, sweep, mark, end, *sizes = next_line(trace)
            assert number == gc.count
            assert isinstance(cycle, Cycle)
            assert cycle.mark_ns / 1e6 == rounded(mark)
            assert cycle.duration_ns / 1e6 == rounded(sweep + mark + end)
            held = (cycle.heap_start_bytes, cycle.heap_end_bytes, cycle.heap_live_bytes)
            assert [size // MIB for size in held] == sizes
            assert gc.live_after_gc_bytes == cycle.heap_live_bytes


def next_line(trace: IO[bytes]) -> tuple[float, ...]:
    while select.select([trace], [], [], 30)[0]:
        if line := TRACE.match(trace.readline().decode()):
            return tuple(map(float, line.groups()))
    raise TimeoutError("the target wrote no line about its collection")


def rounded(milliseconds: float) -> object:
    """The trace cuts off after two digits."""
    return pytest.approx(milliseconds, rel=0.11, abs=0.001)


def test_settings_are_those_that_were_made(start_go: StartGo) -> None:
    target = start_go("stripped", environment={"GOGC": "50", "GOMEMLIMIT": "200MiB"})
    with Watched(target) as watched:
        gc = watched.gc()
        assert (gc.gogc, gc.memory_limit_bytes) == (50, 200 * MIB)
        target.command("gogc 400")
        target.command("memlimit", 64 * MIB)
        gc = watched.gc()
        assert (gc.gogc, gc.memory_limit_bytes) == (400, 64 * MIB)
        target.command("gogc -1")
        assert watched.gc().gogc == Missing("off", "set GOGC or call debug.SetGCPercent")


def test_without_settings_there_is_no_limit_and_a_goal(start_go: StartGo) -> None:
    with Watched(start_go("stripped", environment={"GOGC": "", "GOMEMLIMIT": ""})) as watched:
        gc = watched.gc()
    assert gc.gogc == 100
    assert isinstance(gc.memory_limit_bytes, Missing)
    assert gc.next_target_bytes == 4 * MIB


def test_with_collection_off_and_no_limit_there_is_no_goal(start_go: StartGo) -> None:
    with Watched(start_go("stripped", environment={"GOGC": "off"})) as watched:
        assert isinstance(watched.gc().next_target_bytes, Missing)


def test_before_the_first_cycle_nothing_is_made_up(start_go: StartGo) -> None:
    with Watched(start_go("stripped")) as watched:
        gc = watched.gc()
    assert (gc.count, gc.forced, gc.pauses, gc.pause_total_ns) == (0, 0, (), 0)
    for value in (gc.last_at_s, gc.live_after_gc_bytes, gc.pause_p50_ns, gc.pause_max_ns, gc.last_cycle):
        assert isinstance(value, Missing)


def test_forced_cycles_and_their_pauses_are_counted(start_go: StartGo) -> None:
    target = start_go("stripped")
    with Watched(target) as watched:
        for _ in range(300):  # more than the ring of 256 holds
            target.command("gc")
        target.command("settle")
        gc, theirs = watched.gc(), own_memstats(target.stats())
    assert gc.forced == theirs.NumForcedGC == 300
    assert gc.count == theirs.NumGC
    assert gc.phase == "idle"
    assert isinstance(theirs.PauseNs, tuple)
    assert isinstance(theirs.PauseEnd, tuple)
    assert [pause.duration_ns for pause in gc.pauses] == list(theirs.PauseNs)
    assert [pause.ended_at_s for pause in gc.pauses] == [end / 1e9 for end in theirs.PauseEnd]
    ordered = sorted(theirs.PauseNs)
    assert (gc.pause_p50_ns, gc.pause_p99_ns, gc.pause_max_ns) == (ordered[127], ordered[253], ordered[255])
    assert gc.pause_total_ns == theirs.PauseTotalNs


def test_under_load_a_running_cycle_shows_and_the_last_one_stays(start_go: StartGo) -> None:
    target = start_go("stripped")
    phases: set[object] = set()
    with Watched(target) as watched:
        target.command("alloc 20")
        target.command("gc")
        target.command("churn", 4)
        seen: GcStats | None = None
        for _ in range(20_000):
            now = watched.gc()
            phases.add(now.phase)
            assert isinstance(now.count, int)
            if seen is not None and isinstance(seen.count, int):
                assert now.count >= seen.count
                assert not (now.count == seen.count and isinstance(seen.last_cycle, Cycle)) or isinstance(
                    now.last_cycle, Cycle
                )
            seen = now
            if {"idle", "marking"} <= phases:
                break
        target.command("stop")
    assert {"idle", "marking"} <= phases
