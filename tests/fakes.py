"""Handmade values for tests: snapshots without a process, a clock that stands still, a probe that obeys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any

from memdash.analysis.sites import grouped, usage_by_leaf
from memdash.model.capability import Capability, Source
from memdash.model.family import Family, Member
from memdash.model.finding import Finding
from memdash.model.gc import Cycle, GcStats, Pause
from memdash.model.memstats import MemStats, SizeClass
from memdash.model.missing import Missing
from memdash.model.objects import Objects, TypeCount
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.relief import Ceiling, GcAt, Relief
from memdash.model.sample import CAPABILITY_OF, Fact, Instant, Origin, ProbeCost, Reading, Sample
from memdash.model.snapshot import Baseline, OwnCost, Snapshot, State
from memdash.model.system import Cgroup, Pressure, Smaps, SystemStats
from memdash.model.target import Runtime, Target
from memdash.model.tasks import Task, TaskKind, Tasks
from memdash.sampling.history import History
from memdash.units import MIB

__all__ = [
    "NOON_S",
    "FakeClock",
    "FakeProbe",
    "a_family",
    "a_gc",
    "a_goroutine",
    "a_profile",
    "a_relief",
    "a_sample",
    "a_smaps",
    "a_snapshot",
    "a_system",
    "a_target",
    "a_thread",
    "memstats",
    "some_objects",
    "some_threads",
]

NOT_OF_GO = Missing("memdash does not read this of a Go program")
NOON_S = 1_769_861_261.0
"""2026-01-31T12:07:41Z: the moment at which the fakes live."""


def a_target(**changes: Any) -> Target:
    """A Go server that nobody prepared."""
    target = Target(
        pid=41287,
        start_ticks=123_456,
        started_at_s=NOON_S - 11_520,
        name="shop-server",
        argv=("/srv/shop-server", "--port", "8080"),
        exe="/srv/shop-server",
        exe_id=(2049, 131),
        uid=1000,
        runtime=Runtime.GO,
        runtime_version="go1.27.3",
    )
    return replace(target, **changes)


def memstats(heap_bytes: int = 412 * MIB, **changes: Any) -> MemStats:
    """All fields of a heap of ``heap_bytes``, roughly as a real program would have them."""
    values: dict[str, Any] = {f.name: 0 for f in fields(MemStats) if f.default is MISSING}
    values |= {
        "Alloc": heap_bytes,
        "HeapAlloc": heap_bytes,
        "TotalAlloc": 81 * 1024 * MIB,
        "Sys": heap_bytes + 200 * MIB,
        "Mallocs": 912_000_000,
        "Frees": 908_795_882,
        "HeapObjects": 3_204_118,
        "HeapSys": heap_bytes + 160 * MIB,
        "HeapIdle": 129 * MIB,
        "HeapInuse": heap_bytes + 18 * MIB,
        "HeapReleased": 44 * MIB,
        "StackInuse": 21 * MIB,
        "StackSys": 21 * MIB,
        "MSpanInuse": 4 * MIB,
        "MSpanSys": 5 * MIB,
        "MCacheInuse": 9_600,
        "MCacheSys": 15_600,
        "BuckHashSys": 1_600_000,
        "GCSys": 17 * MIB,
        "OtherSys": 6 * MIB,
        "NextGC": 486 * MIB,
        "LastGC": round((NOON_S - 0.8) * 1e9),
        "PauseTotalNs": 710_000_000,
        "NumGC": 4183,
        "NumForcedGC": 2,
        "GCCPUFraction": 0.024,
        "EnableGC": True,
        "DebugGC": False,
        "BySize": tuple(SizeClass(8 * i, 1000 * i, 900 * i) for i in range(61)),
        "PauseNs": (1_840_000, 112_000, 98_000),
        "PauseEnd": tuple(round((NOON_S - 0.8 - 1.6 * i) * 1e9) for i in range(3)),
    }
    return MemStats(**(values | changes))


def a_gc(**changes: Any) -> GcStats:
    """The collector of the same program."""
    gc = GcStats(
        count=4183,
        forced=2,
        last_at_s=NOON_S - 0.8,
        next_target_bytes=486 * MIB,
        live_after_gc_bytes=320 * MIB,
        pause_p50_ns=112_000,
        pause_p99_ns=1_840_000,
        pause_max_ns=3_020_000,
        pause_total_ns=710_000_000,
        cpu_fraction=0.024,
        phase="off",
        gogc=100,
        memory_limit_bytes=900 * MIB,
        last_cycle=Cycle(
            duration_ns=9_400_000,
            mark_ns=9_100_000,
            heap_start_bytes=470 * MIB,
            heap_end_bytes=480 * MIB,
            heap_live_bytes=320 * MIB,
        ),
        pauses=tuple(Pause(NOON_S - 0.8 - 1.6 * i, 112_000 + 40_000 * (i * 7 % 11)) for i in range(60)),
    )
    return replace(gc, **changes)


def a_system(**changes: Any) -> SystemStats:
    """What the kernel says of it."""
    system = SystemStats(
        rss_bytes=533 * MIB,
        vms_bytes=1900 * MIB,
        swap_bytes=0,
        minor_faults=811_204,
        major_faults=12,
        threads=14,
        fds=88,
        cpu_time_s=812.5,
        cpu_percent=37.5,
        oom_score=712,
        cgroup=Cgroup(
            version=2,
            path="/shop.slice/shop.service",
            usage_bytes=560 * MIB,
            limit_bytes=1024 * MIB,
            inactive_file_bytes=20 * MIB,
            limit_hits=0,
            oom_kills=0,
        ),
        psi=Pressure(
            scope="cgroup", some_avg10_percent=0.0, full_avg10_percent=0.0, some_total_s=0.4, full_total_s=0.1
        ),
        host_available_bytes=9 * 1024 * MIB,
        host_total_bytes=16 * 1024 * MIB,
    )
    return replace(system, **changes)


def a_smaps() -> Smaps:
    """Sums of its pages."""
    return Smaps(
        pss_bytes=530 * MIB,
        uss_bytes=529 * MIB,
        anonymous_bytes=521 * MIB,
        file_bytes=12 * MIB,
        swap_pss_bytes=0,
    )


def a_relief(**changes: Any) -> Relief:
    """How it stands that collections are forced at 80 % of GOMEMLIMIT, of which 62 % are in use."""
    relief = Relief(
        plan=GcAt(ratio=0.8),
        ceiling=Ceiling("GOMEMLIMIT", 558 * MIB, 900 * MIB),
        way="runs runtime.GC",
        rounds=2,
        wait_s=60.0,
    )
    return replace(relief, **changes)


def a_family(workers: int = 4, own_pid: int = 41287, **changes: Any) -> Family:
    """The target as a master of so many workers, which have the pids from 41301 on."""
    master = Member(
        pid=41287,
        start_ticks=123_456,
        parent=1,
        depth=0,
        name="shop-server",
        role="shop-server --port 8080",
        state="sleeping",
        rss_bytes=533 * MIB,
        pss_bytes=400 * MIB,
    )
    rows = [
        replace(
            master,
            pid=41_301 + number,
            start_ticks=123_500 + number,
            parent=41287,
            depth=1,
            role=f"shop-server --worker {number}",
            rss_bytes=(600 - number) * MIB,
            pss_bytes=(300 - number) * MIB,
        )
        for number in range(workers)
    ]
    return replace(Family((master, *rows), own_pid), **changes)


_SITES = (
    ("cart.(*Store).Add", "/src/shop/cart/store.go", 118, 188.2, 1_200_000),
    ("session.New", "/src/shop/session/session.go", 52, 74.9, 402_000),
    ("bufio.NewReaderSize", "/usr/local/go/src/bufio/bufio.go", 57, 51.0, 51),
    ("encoding/json.(*decodeState).objectInterface", "/usr/local/go/src/encoding/json/decode.go", 712, 22.7, 119_000),
    ("net/http.(*Request).Clone", "/usr/local/go/src/net/http/request.go", 391, 18.3, 9_000),
    ("regexp/syntax.(*parser).newRegexp", "/usr/local/go/src/regexp/syntax/parse.go", 178, 9.1, 88_000),
    ("strings.(*Builder).grow", "/usr/local/go/src/strings/builder.go", 41, 4.4, 41_000),
)


def a_profile(scale: float = 1.0) -> Profile:
    """Seven sites under one handler; ``scale`` makes them larger."""
    root = Frame("net/http.(*conn).serve", "/usr/local/go/src/net/http/server.go", 2102)
    sites = []
    for number, (function, file, line, mib, objects) in enumerate(_SITES):
        stack = (
            Frame("runtime.mallocgc", "/usr/local/go/src/runtime/malloc.go", 1060),
            Frame(function, file, line),
            root,
        )
        held = round(mib * MIB * (scale if number < 2 else 1))
        pcs = tuple(0x400000 + 4096 * number + 16 * depth for depth in range(3))
        sites.append(Site(stack, Usage(held, objects, 5 * held, 5 * objects), pcs, leaf_at=1))
    return Profile(tuple(sites), 524_288, True)


_TYPES = (
    ("dict", 367_513, 61.7),
    ("str", 274_289, 28.1),
    ("shop.cart.Order", 100_000, 6.1),
    ("shop.internal.catalogue.search.index.inverted.Index.<locals>.Posting", 30_000, 1.8),
    ("list", 80_260, 5.6),
    ("tuple", 15_450, 1.0),
    ("collections.OrderedDict", 12, 0.004),
)


def some_objects(scale: float = 1.0) -> Objects:
    """Live objects of a Python shop; ``scale`` makes the first three types more."""
    rows = [
        TypeCount(name, round(number * (scale if at < 3 else 1)), round(mib * MIB * (scale if at < 3 else 1)))
        for at, (name, number, mib) in enumerate(_TYPES)
    ]
    return Objects(tuple(rows), round(35.6 * MIB))


def a_sample(at: Instant, *facts: Fact, **changes: Any) -> Sample:
    """A sample with everything, or with ``facts`` in place of the usual ones."""
    given: dict[Capability, Fact] = {
        CAPABILITY_OF[type(fact)]: fact for fact in (memstats(), a_gc(), a_system(), a_smaps(), a_profile(), *facts)
    }
    values: dict[str, Any] = {capability.value: fact for capability, fact in given.items()}
    values |= {c.value: NOT_OF_GO for c in CAPABILITY_OF.values() if c not in given}
    values["origins"] = {
        c: Origin(Source.MEMORY if c.value in ("memstats", "gc", "sites") else Source.PROC, at) for c in given
    }
    values["costs"] = {"go.memstats": ProbeCost(reads=9, median_s=0.0004, p99_s=0.001, cadence_s=0.0)}
    return Sample(at=at, **(values | changes))


def a_thread(function: str, state: str, count: int = 1, line: int = 40, **changes: Any) -> Task:
    """``count`` threads of a Python program that stand in a function of ``shop.py``, below Python's own frames."""
    library = "/usr/lib/python3.11/threading.py"
    stack = (
        Frame("Condition.wait", library, 320),
        Frame(function, "/srv/shop/shop.py", line),
        Frame("Thread.run", library, 975),
        Frame("Thread._bootstrap_inner", library, 1038),
        Frame("Thread._bootstrap", library, 995),
    )
    created_by = Frame(function, "/srv/shop/shop.py", 30)
    task = Task(
        kind=TaskKind.THREAD, count=count, state=state, stack=stack, created_by=created_by, waiting_s=130.0,
        name="worker-0", own_at=0 if "stack" in changes else 1,
        is_busy=state in ("running", "holds the GIL", "wants the GIL"),
    )  # fmt: skip
    return replace(task, **changes)


def a_goroutine(count: int, stack: tuple[Frame, ...], waiting_s: float = 60.0) -> Task:
    """``count`` of a server that wait in a select."""
    return Task(
        kind=TaskKind.GOROUTINE, count=count, state="select", stack=stack, created_by=stack[-1], waiting_s=waiting_s,
        stack_bytes=8192,
    )  # fmt: skip


def some_threads() -> Tasks:
    """Those of a small service."""
    began = Missing("it is the thread that the program began with")
    main = (Frame("main", "/srv/shop/shop.py", 7), Frame("<module>", "/srv/shop/shop.py", 99))
    ran = Missing("it has run since it was looked at before")
    return Tasks(
        (
            a_thread("Invoices.consume", "in futex", 8),
            a_thread("Prices.recompute", "holds the GIL", waiting_s=ran),
            a_thread("Prices.recompute", "wants the GIL", line=41, waiting_s=ran),
            a_thread("main", "in epoll_wait", stack=main, created_by=began, name=""),
        )
    )


def a_snapshot(seconds: int = 300, findings: Sequence[Finding] = (), **changes: Any) -> Snapshot:
    """A live watch that has gone on for ``seconds``, with a sawtooth heap whose floor rises."""
    history = History(1.0)
    sample = a_sample(Instant(NOON_S, 10_000.0))
    for second in range(seconds, -1, -1):
        at = Instant(NOON_S - second, 10_000.0 - second)
        age = seconds - second
        live = 300 * MIB + age * 100_000
        heap = live + (age % 12) * 9 * MIB
        sample = a_sample(
            at,
            memstats(heap, NumGC=4183 - second // 12, TotalAlloc=81 * 1024 * MIB - second * 142 * MIB),
            a_gc(live_after_gc_bytes=live, count=4183 - second // 12),
            a_system(rss_bytes=live + 180 * MIB),
        )
        history.append(sample)
    began = Instant(NOON_S - seconds, 10_000.0 - seconds)
    profile = a_profile()
    by_leaf = usage_by_leaf(profile)
    then = usage_by_leaf(a_profile(0.7))
    trends = {
        frame: tuple(round(usage.inuse_bytes * (0.7 + 0.01 * i)) for i in range(30))
        for frame, (usage, _) in by_leaf.items()
    }
    snapshot = Snapshot(
        target=a_target(),
        state=State.LIVE,
        at=sample.at,
        interval_s=1.0,
        sample=replace(sample, sites=profile),
        history=history.view(),
        groups=grouped(by_leaf, then, trends),
        baseline=Baseline(began, False),
        since={Capability.SITES: began},
        findings=tuple(findings),
        cost=OwnCost(0.4, 40 * MIB),
    )
    return replace(snapshot, **changes)


@dataclass
class FakeClock:
    """Stands still until told."""

    wall_s: float = NOON_S
    mono_s: float = 10_000.0
    cpu_s: float = 0.0

    def now(self) -> Instant:
        return Instant(self.wall_s, self.mono_s)

    def thread_cpu_s(self) -> float:
        return self.cpu_s

    def advance(self, seconds: float) -> Instant:
        self.wall_s += seconds
        self.mono_s += seconds
        return self.now()


@dataclass
class FakeProbe:
    """Says what ``answer`` returns, or raises what it raises."""

    answer: Callable[[], tuple[Fact, ...]]
    capabilities: frozenset[Capability]
    cadence_s: float = 0.0
    name: str = "fake"
    closed: int = field(default=0)
    reads: int = field(default=0)

    def read(self) -> Reading:
        self.reads += 1
        return Reading(Source.MEMORY, self.answer())

    def close(self) -> None:
        self.closed += 1
