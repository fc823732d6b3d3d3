"""A CPython target's snapshot, made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from memdash.model.gc import Generation, Pause
from memdash.model.malloc import Malloc
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Instant, Sample
from memdash.model.snapshot import Snapshot
from memdash.model.target import Runtime
from memdash.probes.cpython.collector import CollectorState
from memdash.probes.cpython.gc import Seen, gc_stats
from memdash.probes.cpython.memstats import HeapFigures, mem_stats
from memdash.probes.cpython.pauses import Pauses
from memdash.sampling.history import History
from memdash.units import MIB
from tests.fakes import NOON_S, a_sample, a_snapshot, a_target, some_threads

UNTIMED = Missing("CPython before 3.15 does not time its collections")
UNCOUNTED = Missing("CPython before 3.14.5 does not count the objects its collector tracks")
NO_AGENT = Missing("only memdash's agent inside the target can do or tell that")
NO_SITES = Missing("CPython keeps no record of where objects are allocated")


def seen(young: int, is_newest: bool) -> Seen:
    rows = ((young, 81_204, 312, 700), (young // 11, 9_000, 4, 10), (young // 120, 817, 2, 10))
    pauses: Maybe[tuple[Pause, ...]] = UNTIMED
    if is_newest:
        pauses = tuple(Pause(NOON_S - i, 120_000 + 1000 * i) for i in range(20))
    return Seen(
        state=CollectorState(
            enabled=True,
            debug=0,
            collecting=False,
            generations=tuple(
                Generation(
                    name=str(n), collections=runs, collected=freed, uncollectable=0, count=now, threshold=threshold
                )
                for n, (runs, freed, now, threshold) in enumerate(rows)
            ),
            tracked_objects=3_204_118 if is_newest else UNCOUNTED,
            pauses=Pauses({}, 710_000_000) if is_newest else UNTIMED,
        ),
        last_at_s=NOON_S - 0.8,
        pauses=pauses,
        paused_ns=710_000_000 if is_newest else UNTIMED,
    )


def python_sample(at: Instant, young: int, small_bytes: int, is_newest: bool) -> Sample:
    looked = seen(young, is_newest)
    malloc_bytes = 21 * MIB if is_newest else NO_AGENT
    heap = HeapFigures(small_bytes, small_bytes + 3 * MIB, small_bytes + 9 * MIB, 912_400, malloc_bytes)
    malloc = Malloc(
        in_use_bytes=malloc_bytes, mapped_bytes=malloc_bytes, free_bytes=malloc_bytes, trimmable_bytes=malloc_bytes
    )
    return a_sample(at, mem_stats(heap, looked), gc_stats(looked), malloc, some_threads(), sites=NO_SITES)


def a_python_snapshot(*, is_newest: bool = False, **changes: Any) -> Snapshot:
    """A minute of CPython 3.11, or of 3.15, which times its collections, with an agent that tells malloc's part."""
    history = History(1.0)
    sample = python_sample(Instant(NOON_S, 10_000.0), 4100, 60 * MIB, is_newest)
    for second in range(60, -1, -1):
        at = Instant(NOON_S - second, 10_000.0 - second)
        sample = python_sample(at, 4100 - second, (60 + second % 7) * MIB, is_newest)
        history.append(sample)
    target = a_target(runtime=Runtime.CPYTHON, runtime_version=f"cpython {'3.15.2' if is_newest else '3.11.7'}")
    shown = a_snapshot(5, target=target, sample=sample, history=history.view(), groups=NO_SITES)
    return replace(shown, **changes)


@pytest.fixture(scope="package")
def python_snapshot() -> Snapshot:
    return a_python_snapshot()


@pytest.fixture(scope="package")
def newest_python_snapshot() -> Snapshot:
    return a_python_snapshot(is_newest=True)
