"""What a day of a busy Go server takes to record, and to look at: the real writer and reader, under a clock of ours.

What is recorded is made up, but as much of it changes from second to second as in a real server under load: three of
four size classes, two collections a second, every site of its profile.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from memdash.model.gc import Pause
from memdash.model.memstats import SizeClass
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.residence import Arenas, MappingGroup, MappingKind, Mappings
from memdash.model.sample import Fact, Instant, ProbeCost, Sample
from memdash.model.snapshot import OwnCost, State
from memdash.model.tasks import Tasks
from memdash.model.verdict import Slope, Verdict, VerdictKind
from memdash.recording.moment import Moment
from memdash.recording.pruning import Limits
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer
from memdash.session.past import Past
from memdash.units import MIB
from tests.benchmarks.result import Result
from tests.fakes import NOON_S, a_gc, a_goroutine, a_sample, a_system, a_target, memstats

__all__ = ["recording"]

_DAY_S = 86_400
_SITES, _DEPTH, _TASKS, _MAPPINGS = 400, 12, 60, 80
_COLLECTIONS_PER_S = 2
_CHARTS = ("HeapAlloc", "HeapInuse", "HeapSys", "Sys", "NumGC", "gc.pause_recent_ns", "tasks.total", "system.rss_bytes")


class _Server:
    """A busy server that never was, second by second."""

    def __init__(self) -> None:
        self._chance = random.Random(1)
        self._classes = [[16 * number, 1000, 900] for number in range(1, 62)]
        self._lengths, self._ends = [100_000] * 256, [0] * 256
        self._total, self._mallocs, self._faults, self._cpu_s = 0, 0, 0, 0.0
        self._stacks = [self._stack(number) for number in range(_SITES)]
        self._usages = [Usage(0, 0, 0, 0)] * _SITES
        self._apart: tuple[Fact, ...] = ()

    def _stack(self, number: int) -> tuple[Frame, ...]:
        """Some frames are shared by many stacks."""
        return tuple(
            Frame(
                f"github.com/shop/{package}.(*Handler{package % 7}).Serve{package}", f"/src/shop/{package}.go", package
            )
            for package in (self._chance.randrange(number // (depth + 1) + 20) for depth in range(_DEPTH))
        )

    def second(self, number: int) -> Sample:
        """All that is read of it."""
        chance, at = self._chance, Instant(NOON_S + number, 10_000.0 + number + self._chance.random() / 1000)
        for row in chance.sample(self._classes, 45):
            row[1] += chance.randrange(5000)
            row[2] += chance.randrange(5000)
        for _ in range(_COLLECTIONS_PER_S):
            self._lengths = [chance.randrange(20_000, 400_000), *self._lengths[:-1]]
            self._ends = [round(at.wall_s * 1e9) - chance.randrange(10**9), *self._ends[:-1]]
        self._total += chance.randrange(100 * MIB, 200 * MIB)
        self._mallocs += chance.randrange(10**6)
        self._faults += chance.randrange(4000)
        self._cpu_s += chance.randrange(150) / 100
        heap = 300 * MIB + chance.randrange(200 * MIB)
        numbers = {name: chance.randrange(10**7) for name in ("HeapIdle", "HeapReleased", "StackInuse", "MSpanInuse")}
        collections = 4000 + _COLLECTIONS_PER_S * number
        if number % 60 == 0:
            arenas = Arenas(((0xC000000000, 0xC040000000),), heap, 0)
            self._apart = (self._profile(), self._tasks(), self._mappings(), arenas)
        return replace(
            a_sample(
                at,
                memstats(
                    heap,
                    TotalAlloc=self._total,
                    Mallocs=self._mallocs,
                    Frees=self._mallocs - chance.randrange(10**6),
                    NumGC=collections,
                    NextGC=heap + chance.randrange(50 * MIB),
                    LastGC=self._ends[0],
                    PauseTotalNs=collections * 100_000 + chance.randrange(10**5),
                    GCCPUFraction=chance.random() / 20,
                    BySize=tuple(SizeClass(*row) for row in self._classes),
                    PauseNs=tuple(self._lengths),
                    PauseEnd=tuple(self._ends),
                    **numbers,
                ),
                a_gc(
                    count=collections,
                    last_at_s=self._ends[0] / 1e9,
                    live_after_gc_bytes=heap // 2 + chance.randrange(MIB),
                    pauses=tuple(
                        Pause(end / 1e9, length) for end, length in zip(self._ends, self._lengths, strict=True)
                    ),
                ),
                a_system(
                    rss_bytes=heap + 4096 * chance.randrange(40_000),
                    minor_faults=self._faults,
                    cpu_time_s=self._cpu_s,
                    cpu_percent=100 * chance.random(),
                ),
                *self._apart,
            ),
            costs={f"go.probe{n}": ProbeCost(reads=number, median_s=4e-4, p99_s=1e-3, cadence_s=0.0) for n in range(9)},
        )

    def _profile(self) -> Profile:
        chance = self._chance
        self._usages = [
            Usage(chance.randrange(MIB), chance.randrange(1000), a + chance.randrange(MIB), b + chance.randrange(1000))
            for _, _, a, b in self._usages
        ]
        pcs = tuple(range(0x400000, 0x400000 + 16 * _DEPTH, 16))
        return Profile(
            tuple(Site(stack, usage, pcs, 0) for stack, usage in zip(self._stacks, self._usages, strict=True)),
            524_288,
            True,
        )

    def _tasks(self) -> Tasks:
        return Tasks(
            tuple(
                a_goroutine(self._chance.randrange(1, 100), stack, 60.0 * self._chance.randrange(100))
                for stack in self._stacks[:_TASKS]
            )
        )

    def _mappings(self) -> Mappings:
        rows = []
        for number in range(_MAPPINGS):
            rss, pss, private, anonymous = (4096 * self._chance.randrange(200) for _ in range(4))
            name = f"/usr/lib/lib{number}.so"
            rows.append(MappingGroup(MappingKind.LIBRARY, name, 4, MIB, rss, pss, private, anonymous, 0))
        return Mappings(tuple(rows), MIB, 4 * _MAPPINGS)


def _verdict(number: int) -> Verdict:
    per_s = 1000 + number % 977 / 7
    return Verdict(
        kind=VerdictKind.SAWTOOTH,
        at_s=NOON_S,
        why="no growth outlasts the scatter",
        basis="live heap after each GC",
        summary=f"sawtooth: {number % 977} KiB/min ± {number % 311} over 10 min",
        slope=Slope(per_s, -per_s / 3, 2 * per_s),
        window_s=600.0,
        points=600,
        cycles=2 * number,
        level_bytes=3e8 + number * 977 % 10**6,
    )


def recording() -> Iterator[Result]:
    """Size and cost of a day, then what it takes to open it, to draw its charts and to go to any moment."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "day.mdr"
        yield from _write(path)
        yield from _read(path)
        yield from _replay(path)


def _write(path: Path) -> Iterator[Result]:
    server, writer = _Server(), Writer(path, Limits())
    run = writer.begin(a_target(), Instant(NOON_S, 10_000.0), 1.0)
    spent_s, slowest_s = 0.0, 0.0
    for number in range(_DAY_S):
        sample = server.second(number)
        cost = OwnCost(round(2 + number % 97 / 100, 2), 45 * MIB + 4096 * (number % 89))
        moment = Moment(at=sample.at, state=State.LIVE, sample=sample, cost=cost, verdict=_verdict(number))
        before_s = time.thread_time()
        writer.write(run, [moment])
        took_s = time.thread_time() - before_s
        spent_s, slowest_s = spent_s + took_s, max(slowest_s, took_s)
    writer.end(run)
    writer.close()
    size = path.stat().st_size / MIB
    yield Result("a day of a busy Go server, recorded at 1 Hz", f"{size:.1f} MiB", "≤ 60 MiB", size <= 60)
    percent = 100 * spent_s / _DAY_S
    words = f"{percent:.2f} % of a core, at most {1e3 * slowest_s:.0f} ms at once"
    yield Result("recording it", words, "≤ 0.5 %", percent <= 0.5)


def _read(path: Path) -> Iterator[Result]:
    before_s = time.process_time()
    opened = Recording.open(path)
    until = opened.until
    opened.moment_by(until.mono_s)
    for key in _CHARTS:
        opened.series(key, until.mono_s - _DAY_S, until.mono_s)
    opened.findings(until.mono_s)
    first_s = time.process_time() - before_s
    yield Result("opening a day: its last moment and 8 charts of it", f"{first_s * 1e3:.0f} ms", "≤ 1 s", first_s <= 1)
    chance, taken = random.Random(2), []
    for _ in range(100):
        wall_s = NOON_S + chance.randrange(_DAY_S)
        before_s = time.process_time()
        found = opened.moment_by(opened.instant_at(wall_s).mono_s)
        taken.append(time.process_time() - before_s)
        assert not isinstance(found.sample.sites, Missing)
    taken.sort()
    words = f"median {1e3 * taken[50]:.0f} ms, slowest of 100 {1e3 * taken[-1]:.0f} ms"
    yield Result("going to any moment of a day", words, "≤ 100 ms", taken[-1] <= 0.1)
    before_s = time.process_time()
    number = sum(1 for _ in opened.moments(until.mono_s - 3600, until.mono_s))
    each_s = (time.process_time() - before_s) / number
    yield Result("reading an hour of it moment by moment", f"{1e3 * each_s:.2f} ms a moment", "", None)
    opened.close()


def _replay(path: Path) -> Iterator[Result]:
    """What the dashboard shows of a moment: first as quickly as it can be had, then with the trends of its rows."""
    before_s = time.process_time()
    past = Past(Recording.open(path), is_of_file=True)
    newest = past.at(past.run.until.mono_s, is_quick=True)
    newest.history.series("HeapAlloc", 300.0)
    first_s = time.process_time() - before_s
    yield Result("the newest moment of a day as a snapshot", f"{first_s * 1e3:.0f} ms", "≤ 1 s", first_s <= 1)
    chance, taken = random.Random(2), {True: list[float](), False: list[float]()}
    for _ in range(40):
        mono_s = newest.history.since.mono_s + chance.randrange(_DAY_S)
        for is_quick in (True, False):
            before_s = time.process_time()
            past.at(mono_s, is_quick=is_quick)
            taken[is_quick].append(time.process_time() - before_s)
    past.close()
    quick, whole = sorted(taken[True]), sorted(taken[False])
    words = f"median {1e3 * quick[20]:.0f} ms, slowest {1e3 * quick[-1]:.0f} ms; trends {1e3 * whole[20]:.0f} ms more"
    yield Result("any moment of a day as a snapshot", words, "≤ 100 ms", quick[-1] <= 0.1)
