"""The collector's state as memdash's nouns, from looks made by hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest

from memdash.model.gc import Generation
from memdash.model.missing import Maybe, Missing
from memdash.probes.cpython.agent.feed import AgentPauses
from memdash.probes.cpython.collector import Collector, CollectorState
from memdash.probes.cpython.gc import CollectorWatch, gc_stats
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.memstats import HeapFigures, mem_stats
from memdash.probes.cpython.pauses import Pauses
from memdash.probes.cpython.probes import GcProbe

UNTIMED = Missing("CPython before 3.15 does not time its collections")


def a_generation(number: int, collections: int) -> Generation:
    return Generation(
        name=str(number), collections=collections, collected=10 * collections, uncollectable=0, count=3, threshold=700
    )


def a_state(
    *collections: int,
    pauses: Maybe[Pauses] = UNTIMED,
    enabled: bool = True,
    collecting: bool = False,
    debug: int = 0,
    tracked_objects: Maybe[int] = 5000,
) -> CollectorState:
    return CollectorState(
        enabled=enabled,
        debug=debug,
        collecting=collecting,
        generations=tuple(a_generation(number, count) for number, count in enumerate(collections)),
        tracked_objects=tracked_objects,
        pauses=pauses,
    )


class Looks:
    """Stands for a Collector: each look brings the next state."""

    def __init__(self, *states: CollectorState) -> None:
        self._states: Iterator[CollectorState] = iter(states)

    def read(self) -> CollectorState:
        return next(self._states)


NO_AGENT = Missing("there is no agent", "bring one")


class NoStopwatch:
    """There is no agent."""

    def pauses(self) -> Maybe[AgentPauses]:
        return NO_AGENT


def watch(*states: CollectorState) -> CollectorWatch:
    return CollectorWatch(cast("Collector", Looks(*states)), NoStopwatch())


def pauses(*ends_and_lengths: tuple[int, int]) -> Pauses:
    return Pauses(dict(ends_and_lengths), sum(length for _, length in ends_and_lengths))


def test_counts_add_up_over_the_generations() -> None:
    stats = gc_stats(watch(a_state(100, 10, 1)).look())
    assert stats.count == 111
    assert [row.name for row in stats.generations] == ["0", "1", "2"]
    assert stats.tracked_objects == 5000


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        (a_state(1, 0, 0), "idle"),
        (a_state(1, 0, 0, enabled=False), "off"),
        (a_state(1, 0, 0, collecting=True), "collecting"),
        (a_state(1, 0, 0, enabled=False, collecting=True), "collecting"),
    ],
)
def test_the_phase_in_a_word(state: CollectorState, phase: str) -> None:
    assert gc_stats(watch(state).look()).phase == phase


def test_a_collection_is_timed_by_the_look_that_notices_it() -> None:
    watching = watch(a_state(5, 0, 0), a_state(5, 0, 0), a_state(5, 1, 0), a_state(5, 1, 0))
    assert watching.look().last_at_s == Missing("no collection has finished since memdash began to look")
    assert isinstance(watching.look().last_at_s, Missing)
    before_s = time.time()
    noticed = watching.look().last_at_s
    assert isinstance(noticed, float)
    assert before_s <= noticed <= time.time()
    assert watching.look().last_at_s == noticed


def test_the_very_first_collection_is_noticed() -> None:
    watching = watch(a_state(0, 0, 0), a_state(1, 0, 0))
    assert watching.look().last_at_s == Missing("no collection has finished yet")
    assert isinstance(watching.look().last_at_s, float)


def test_an_interpreter_that_times_nothing_says_so_in_every_figure_of_pauses() -> None:
    stats = gc_stats(watch(a_state(5, 0, 0)).look())
    figures = (stats.pause_p50_ns, stats.pause_p99_ns, stats.pause_max_ns, stats.pause_total_ns)
    assert figures == (replace(UNTIMED, hint=NO_AGENT.hint),) * 4
    assert stats.pauses == ()


def test_pauses_are_remembered_beyond_the_rings() -> None:
    now_ns = time.monotonic_ns()
    first, second = pauses((now_ns - 50, 10), (now_ns - 40, 30)), pauses((now_ns - 40, 30), (now_ns - 30, 20))
    watching = watch(a_state(2, 0, 0, pauses=first), a_state(3, 0, 0, pauses=second))
    watching.look()
    seen = watching.look()
    assert not seen.misses
    stats = gc_stats(seen)
    assert [pause.duration_ns for pause in stats.pauses] == [20, 30, 10]
    assert (stats.pause_p50_ns, stats.pause_p99_ns, stats.pause_max_ns) == (20, 30, 30)
    assert stats.pause_total_ns == 50  # as CPython adds it up
    assert stats.last_at_s == stats.pauses[0].ended_at_s == pytest.approx(time.time(), abs=5)


def test_collections_that_the_rings_forgot_are_told() -> None:
    states = [
        a_state(2, 0, 0, pauses=pauses((1, 1), (2, 1))),
        a_state(9, 0, 0, pauses=pauses((8, 1), (9, 1))),
        a_state(11, 0, 0, pauses=pauses((9, 1), (10, 1), (11, 1))),
    ]
    watching = watch(*states)
    assert [watching.look().misses for _ in states] == [0, 1, 1]


def test_what_another_look_has_missed_is_told_all_the_same() -> None:
    states = [
        a_state(2, 0, 0, pauses=pauses((1, 1), (2, 1))),
        a_state(9, 0, 0, pauses=pauses((8, 1), (9, 1))),
        a_state(9, 0, 0, pauses=pauses((8, 1), (9, 1))),
        a_state(9, 0, 0, pauses=pauses((8, 1), (9, 1))),
    ]
    watching = watch(*states)
    probe = GcProbe(cast("Interpreter", None), watching)
    assert probe.read().caveats == ()
    watching.look()  # as the probe of the heap does
    assert len(probe.read().caveats) == 1
    assert probe.read().caveats == ()


def test_no_more_than_256_pauses_are_remembered() -> None:
    states = [a_state(10 * (n + 1), 0, 0, pauses=pauses(*((10 * n + i, 1) for i in range(1, 11)))) for n in range(30)]
    watching = watch(*states)
    seen = [watching.look() for _ in states][-1]
    assert not isinstance(seen.pauses, Missing)
    assert len(seen.pauses) == 256
    ends = [pause.ended_at_s for pause in seen.pauses]
    assert ends == sorted(ends, reverse=True)


def test_an_interpreter_that_has_not_collected_has_no_pauses() -> None:
    stats = gc_stats(watch(a_state(0, 0, 0, pauses=Pauses({}, 0))).look())
    assert stats.pause_p99_ns == stats.last_at_s == Missing("no collection has finished yet")
    assert stats.pause_total_ns == 0


def test_memstats_of_heap_and_collector() -> None:
    now_ns = time.monotonic_ns()
    seen = watch(a_state(2, 1, 0, pauses=pauses((now_ns, 700), (now_ns - 10, 300)), debug=1)).look()
    stats = mem_stats(
        HeapFigures(small_bytes=700, pools_bytes=1000, arenas_bytes=4000, blocks=12, malloc_bytes=NO_AGENT), seen
    )
    assert (stats.Alloc, stats.HeapAlloc, stats.HeapInuse, stats.HeapSys, stats.HeapIdle) == (
        700,
        700,
        1000,
        4000,
        3000,
    )
    assert (stats.HeapObjects, stats.NumGC, stats.EnableGC, stats.DebugGC) == (12, 3, True, True)
    assert (stats.PauseTotalNs, stats.PauseNs) == (1000, (700, 300))
    assert stats.PauseEnd is not None
    assert not isinstance(stats.PauseEnd, Missing)
    assert stats.LastGC == stats.PauseEnd[0]


def test_memstats_gives_each_absent_figure_its_own_reason() -> None:
    no_heap, no_collector = Missing("the pools are elsewhere"), Missing("the lists do not close")
    stats = mem_stats(HeapFigures(no_heap, no_heap, no_heap, 99, NO_AGENT), no_collector)
    assert stats.HeapAlloc == stats.HeapIdle == no_heap
    assert stats.NumGC == stats.LastGC == stats.PauseNs == stats.EnableGC == no_collector
    assert stats.HeapObjects == 99
    reasons = {name: getattr(stats, name) for name in stats.__slots__}
    assert all(why.why for why in reasons.values() if isinstance(why, Missing))


def test_a_pool_taken_into_use_while_reading_makes_nothing_negative() -> None:
    assert HeapFigures(0, 1000, 900, 0, 0).idle_bytes == 0
