"""MemStats and the collector's figures, added up from known counters."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memdash.model.gc import Cycle, Pause
from memdash.model.memstats import SizeClass
from memdash.model.missing import Missing
from memdash.probes.go.counters import CounterReader, Counters
from memdash.probes.go.gc import gc_stats
from memdash.probes.go.memstats import heap_goal, mem_stats
from memdash.probes.pauses import newest_first, percentile
from memdash.units import MIB
from tests.probes.go.runtime import FakeRuntime

OFF = (1 << 64) - 1
NO_LIMIT = (1 << 63) - 1


@pytest.fixture
def counters(runtime: FakeRuntime) -> Counters:
    return CounterReader(runtime.program).read()


def test_the_sums_of_mem_stats(runtime: FakeRuntime) -> None:
    for field, value in {
        "inStacks": 1 << 15, "inWorkBufs": 300, "tinyAllocCount": 4, "largeAlloc": 100_000, "largeAllocCount": 2,
        "largeFree": 40_000, "largeFreeCount": 1, "inHeap": 5 * 8192, "released": 7 * 8192,
    }.items():  # fmt: skip
        runtime.heap(field, value)
    runtime.heap("smallAllocCount", 10, index=5)
    runtime.heap("smallFreeCount", 3, index=5)
    for field, value in {"heapInUse": 5 * 8192, "heapFree": 3 * 8192, "heapReleased": 7 * 8192}.items():
        runtime.set("gcController", "gcControllerState", field, value)
    for i, field in enumerate(("stacks_sys", "mspan_sys", "mcache_sys", "buckhash_sys", "gcMiscSys", "other_sys")):
        runtime.set("memstats", "mstats", field, 10**i)
    stats = mem_stats(CounterReader(runtime.program).read(), runtime.layout)
    assert (stats.TotalAlloc, stats.Alloc, stats.HeapAlloc) == (100_480, 60_336, 60_336)
    assert (stats.Mallocs, stats.Frees, stats.HeapObjects) == (16, 8, 8)
    assert (stats.HeapSys, stats.HeapIdle, stats.HeapInuse) == (15 * 8192, 10 * 8192, 5 * 8192)
    assert (stats.StackInuse, stats.StackSys, stats.GCSys) == (1 << 15, (1 << 15) + 1, 10_300)
    assert stats.Sys == 15 * 8192 + (1 << 15) + 300 + 111_111
    assert isinstance(stats.BySize, tuple)
    assert len(stats.BySize) == 61
    assert stats.BySize[5] == SizeClass(48, 10, 3)
    assert (stats.PauseNs, stats.PauseEnd, stats.EnableGC, stats.DebugGC) == ((), (), True, False)


RING = tuple(range(1000, 1256))


@pytest.mark.parametrize(
    ("cycles", "expected"),
    [
        (0, ()),
        (1, (1000,)),
        (3, (1002, 1001, 1000)),
        (256, RING[::-1]),
        (257, (1000, *RING[:0:-1])),
        (513, (1000, *RING[:0:-1])),
    ],
)
def test_rings_are_unrolled_newest_first(cycles: int, expected: tuple[int, ...]) -> None:
    assert newest_first(RING, cycles) == expected


def controller(**changes: int) -> dict[str, int]:
    at_rest = {
        "memoryLimit": NO_LIMIT, "gcPercentHeapGoal": 4 * MIB, "sweepDistMinTrigger": 0, "triggered": OFF,
        "heapMarked": 2 * MIB, "heapFree": 0, "mappedReady": 6 * MIB,
    }  # fmt: skip
    return at_rest | changes


@pytest.mark.parametrize(
    ("changes", "goal"),
    [
        ({}, 4 * MIB),
        ({"gcPercentHeapGoal": OFF}, NO_LIMIT - 3 * MIB - (NO_LIMIT - 3 * MIB) // 100 * 3),
        ({"sweepDistMinTrigger": 5 * MIB}, 5 * MIB),
        ({"triggered": 4 * MIB}, 4 * MIB + 65536),
        ({"triggered": 3 * MIB}, 4 * MIB),
        ({"memoryLimit": 200 * MIB, "gcPercentHeapGoal": OFF}, 197 * MIB - 197 * MIB // 100 * 3),
        ({"memoryLimit": 6 * MIB}, 2 * MIB),  # the least headroom is 1 MiB; 3 are outside the heap
        ({"memoryLimit": 4 * MIB, "heapMarked": 5}, 5),  # 3 MiB outside the heap, 2 too many: nothing is left
        ({"memoryLimit": 5 * MIB - 1, "heapMarked": 0}, MIB),  # what would be left is less than the headroom
        ({"memoryLimit": MIB}, 2 * MIB),  # overdrawn: what is alive
        ({"memoryLimit": 6 * MIB, "heapMarked": 3 * MIB}, 3 * MIB),
        ({"memoryLimit": 6 * MIB, "triggered": 9 * MIB}, 2 * MIB),
    ],
)
def test_the_heap_goal(changes: dict[str, int], goal: int) -> None:
    assert heap_goal(controller(**changes), heap_bytes=3 * MIB, headroom_percent=3) == goal


@given(st.integers(1, 1 << 40), st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_a_goal_is_never_below_what_is_alive(limit: int, mapped: int, marked: int) -> None:
    gc = controller(memoryLimit=limit, mappedReady=mapped, heapMarked=marked, gcPercentHeapGoal=1 << 50)
    assert heap_goal(gc, heap_bytes=0, headroom_percent=3) >= marked


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([7], 50, 7), ([7], 99, 7), ([1, 2], 50, 1), ([1, 2, 3], 50, 2), (list(range(1, 101)), 99, 99), ([1, 2], 100, 2)],
)
def test_percentiles_are_of_what_was_measured(values: list[int], percent: int, expected: int) -> None:
    assert percentile(values, percent) == expected


def after_cycles(counters: Counters, count: int, **work: int) -> Counters:
    told = {"cycles": count, "tSweepTerm": 100, "tMark": 120, "tMarkTerm": 170, "tEnd": 200, "heap0": 10, "heap1": 11}
    return replace(
        counters,
        mstats=dict(counters.mstats) | {"numgc": count, "last_gc_unix": 1_700_000_000 * 10**9, "last_gc_nanotime": 200},
        controller=dict(counters.controller) | {"heapMarked": 9, "gcPercent": 100, "memoryLimit": NO_LIMIT},
        work=told | {"heap2": 9} | work,
        pause_ns=tuple(range(256)),
        pause_end=tuple(i * 10**9 for i in range(256)),
    )


def test_before_the_first_cycle_its_figures_are_missing(counters: Counters) -> None:
    gc = gc_stats(counters, 4 * MIB)
    assert gc.count == 0
    for value in (gc.last_at_s, gc.live_after_gc_bytes, gc.pause_p50_ns, gc.pause_max_ns, gc.last_cycle):
        assert value == Missing("no collection has finished yet")
    assert gc.pauses == ()


def test_after_some_cycles(counters: Counters) -> None:
    gc = gc_stats(after_cycles(counters, 4), 4 * MIB)
    assert (gc.count, gc.last_at_s, gc.live_after_gc_bytes, gc.next_target_bytes) == (4, 1_700_000_000.0, 9, 4 * MIB)
    assert (gc.pause_p50_ns, gc.pause_p99_ns, gc.pause_max_ns) == (1, 3, 3)
    assert gc.pauses[0] == Pause(3.0, 3)
    assert gc.last_cycle == Cycle(
        duration_ns=100, mark_ns=50, heap_start_bytes=10, heap_end_bytes=11, heap_live_bytes=9
    )
    assert (gc.gogc, gc.phase) == (100, "idle")


@pytest.mark.parametrize(
    "work", [{"tEnd": 201}, {"heap2": 8}, {"tMark": 171}, {"tSweepTerm": 121}, {"cycles": 3}, {"cycles": 1 << 31}]
)
def test_cycle_times_that_do_not_agree_are_not_shown(counters: Counters, work: dict[str, int]) -> None:
    cycle = gc_stats(after_cycles(counters, 4, **work), 0).last_cycle
    assert isinstance(cycle, Missing)
    assert "does not know" in cycle.why


def test_while_a_cycle_runs_its_times_are_not_those_of_the_last(counters: Counters) -> None:
    running = after_cycles(counters, 4, cycles=5)
    assert gc_stats(running, 0).last_cycle == Missing("a collection is running")


@pytest.mark.parametrize(("phase", "word"), [(0, "idle"), (1, "marking"), (2, "mark termination")])
def test_phases(counters: Counters, phase: int, word: str) -> None:
    assert gc_stats(replace(counters, gc_phase=phase), 0).phase == word


def test_a_phase_of_a_newer_go_is_missing(counters: Counters) -> None:
    assert isinstance(gc_stats(replace(counters, gc_phase=3), 0).phase, Missing)


def test_settings_that_are_off_are_missing_with_a_hint(counters: Counters) -> None:
    off = replace(counters, controller=dict(counters.controller) | {"gcPercent": -1, "memoryLimit": NO_LIMIT})
    gc = gc_stats(off, OFF)
    for value in (gc.gogc, gc.memory_limit_bytes):
        assert isinstance(value, Missing)
        assert value.hint
    assert isinstance(gc.next_target_bytes, Missing)
