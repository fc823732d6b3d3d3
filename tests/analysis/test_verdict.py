"""What is a leak and what is not, what speaks against it, when it hits a limit, and in which words."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

import pytest

from memdash.analysis.forecast import forecast
from memdash.analysis.growers import growers
from memdash.analysis.points import Basis, Points
from memdash.analysis.sites import grouped, usage_by_leaf
from memdash.analysis.tasks import task_groups, tasks_by_group
from memdash.analysis.teeth import longest_tooth
from memdash.analysis.trend import trend
from memdash.analysis.verdict import ruling
from memdash.analysis.verdict_words import collector_words, finding, named, rate_words
from memdash.model.capability import Capability, Source
from memdash.model.finding import Severity
from memdash.model.gc_trend import Course, GcTrend, Tendency
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin
from memdash.model.tasks import TaskKind, Tasks
from memdash.model.verdict import Forecast, Grower, Slope, VerdictKind
from memdash.units import MIB
from tests.fakes import NOON_S, a_gc, a_profile, a_sample, a_system, a_thread, memstats
from tests.verdicts import a_leak

GIB = 1 << 30
NOW = Instant(NOON_S, 1000.0)


def judged(
    shape: Callable[[float], float], seconds: int = 300, noise: float = 0.1, loads: Sequence[float] = ()
) -> VerdictKind:
    """A collection a second, 100 MiB and ``shape`` of it in MiB."""
    chance = random.Random(4)
    values = array("d", ((100 + shape(t) + chance.gauss(0, noise)) * MIB for t in range(seconds)))
    seen = Points(Basis.CYCLES, array("d", range(seconds)), values, array("d", loads or [math.nan] * seconds), seconds)
    return ruling(trend(seen), longest_tooth(seen)).kind


@pytest.mark.parametrize("per_min", [0.1, 1, 100])
def test_growth_without_an_end_is_a_leak_however_slow(per_min: float) -> None:
    assert judged(lambda t: per_min * t / 60, noise=0.02) is VerdictKind.LEAK


def test_a_leak_is_claimed_after_four_minutes() -> None:
    assert judged(lambda t: t / 10, 200) is VerdictKind.GROWING
    assert judged(lambda t: t / 10, 260) is VerdictKind.LEAK


def test_what_is_too_short_to_tell() -> None:
    assert judged(lambda t: t, 25) is VerdictKind.NOT_YET
    assert ruling(None).kind is VerdictKind.NOT_YET


def test_noise_is_a_plateau_and_swings_are_a_sawtooth() -> None:
    assert judged(lambda _: 0, noise=2) is VerdictKind.PLATEAU
    assert judged(lambda t: 40 * (t % 37) / 37) is VerdictKind.SAWTOOTH


@pytest.mark.parametrize("tau_s", [30, 100, 250])
def test_what_fills_ever_more_slowly_is_a_warm_up(tau_s: float) -> None:
    assert judged(lambda t: 50 * (1 - math.exp(-t / tau_s)), 260) in (VerdictKind.WARM_UP, VerdictKind.PLATEAU)


def test_a_cache_that_is_full_is_a_plateau() -> None:
    assert judged(lambda t: min(t, 150)) is VerdictKind.PLATEAU


def test_two_jumps_are_no_leak_but_many_are() -> None:
    assert judged(lambda t: 20 * ((t > 90) + (t > 210))) is not VerdictKind.LEAK
    assert judged(lambda t: 2 * (t // 20)) is VerdictKind.LEAK


def test_growth_under_a_growing_load_is_no_leak_yet() -> None:
    busier = [100.0 + t for t in range(300)]
    assert judged(lambda t: t / 10, loads=busier) is VerdictKind.GROWING
    assert judged(lambda t: t / 10, loads=[100.0] * 300) is VerdictKind.LEAK


def test_what_was_given_back_before_may_be_given_back_again() -> None:
    """Teeth of ten minutes: the third is no leak after five, but one that goes on for twenty is."""
    teeth = [t % 600 for t in range(1200)]
    assert judged(lambda t: (*teeth, *range(2000))[int(t)] / 10, 1500) is not VerdictKind.LEAK
    assert judged(lambda t: (*teeth, *range(2000))[int(t)] / 10, 2600) is VerdictKind.LEAK


# The forecast


def test_the_nearest_limit_comes_first() -> None:
    sample = a_sample(NOW, a_gc(memory_limit_bytes=900 * MIB), a_system())
    ahead = forecast(Slope(MIB, 0.9 * MIB, 1.1 * MIB), 320 * MIB, sample)
    assert ahead is not None
    assert ahead.limit == "cgroup limit"
    room, per_live = 1024 - (560 - 20), 533 / 320
    assert ahead.soonest_s == pytest.approx(room / (1.1 * per_live))
    assert ahead.latest_s == pytest.approx(room / 0.9)


@pytest.mark.parametrize(
    ("sample", "limit"),
    [
        (a_sample(NOW, a_gc(memory_limit_bytes=400 * MIB), memstats(380 * MIB)), "GOMEMLIMIT"),
        (a_sample(NOW, a_system(address_space_limit_bytes=2000 * MIB)), "RLIMIT_AS"),
        (a_sample(NOW, a_system(host_available_bytes=90 * MIB)), "host memory"),
    ],
)
def test_each_limit_is_looked_at(sample: object, limit: str) -> None:
    ahead = forecast(Slope(MIB, 0.9 * MIB, 1.1 * MIB), 320 * MIB, sample)  # type: ignore[arg-type]
    assert ahead is not None
    assert ahead.limit == limit


def test_nothing_is_claimed_where_the_interval_holds_no_growth() -> None:
    for slope in (Slope(MIB, -1, 2 * MIB), Slope(MIB, 0, 2 * MIB), Slope(MIB, 1, math.inf)):
        assert forecast(slope, 320 * MIB, a_sample(NOW)) is None


def test_old_figures_and_limits_of_nothing_are_no_wall() -> None:
    """As for --gc-at, which looks at the same limits."""
    gone = Missing("none is set")
    old = Origin(Source.PROC, NOW, failing="it is busy")
    for sample in (
        a_sample(NOW, a_system(address_space_limit_bytes=0, cgroup=gone, host_total_bytes=0), gc=gone),
        replace(a_sample(NOW, a_system(), gc=gone), origins={Capability.SYSTEM: old}),
    ):
        assert forecast(Slope(MIB, 0.9 * MIB, 1.1 * MIB), 320 * MIB, sample) is None


def test_nothing_is_claimed_where_no_limit_is_known() -> None:
    nothing = Missing("not read")
    assert forecast(Slope(2, 1, 3), 320 * MIB, a_sample(NOW, gc=nothing, system=nothing, memstats=nothing)) is None


# The words


def test_the_sentence_of_a_leak() -> None:
    verdict = a_leak(
        forecast=Forecast("cgroup limit", GIB, 450.0, 520.0),
        growers=(
            Grower("site", "cart.(*Store).Add", "store.go:118", 61 * MIB),
            Grower("task", "goroutines by cart.(*Store).watch", "store.go:77", 412),
        ),
    )
    assert verdict.summary == (
        "leak +1.19 MiB/s: cart.(*Store).Add · cgroup limit in 7–9 min · +61.0 MiB at store.go:118"
        " · goroutines by cart.(*Store).watch store.go:77 +412"
        " · live heap after each GC rose by 291.0 MiB over 98 cycles in 4m05s (+1.15 MiB to +1.23 MiB/s)"
        " · the limit is 1.00 GiB · grows as fast as before"
    )
    assert verdict.severity is Severity.CRITICAL
    found = finding(verdict)
    assert found is not None
    assert (found.rule, found.evidence["kind"], found.evidence["low_per_s"]) == ("heap growth", "leak", 1.15 * MIB)


@pytest.mark.parametrize(
    ("kind", "name", "short"),
    [
        ("site", "go.etcd.io/etcd/server/v3/storage/mvcc.(*store).Put", "mvcc.(*store).Put"),
        ("site", "main.(*store).put", "main.(*store).put"),
        ("site", "shop.carts.store.Cart.add", "Cart.add"),
        ("site", "Shop.open.<locals>.handle", "open.handle"),
        ("site", "(no stack recorded)", "(no stack recorded)"),
        ("task", "goroutines by go.etcd.io/raft/v3.(*node).run", "goroutines by v3.(*node).run"),
        ("task", "asyncio tasks of shop.prices.Shop.watch", "asyncio tasks of Shop.watch"),
    ],
)
def test_a_function_is_called_by_its_last_parts_and_in_full_in_the_evidence(kind: str, name: str, short: str) -> None:
    verdict = a_leak(growers=(Grower(kind, name, "a.go:1", 9 * MIB),))
    assert verdict.summary.startswith(f"leak +1.19 MiB/s: {short} a.go:1 +")
    found = finding(verdict)
    assert found is not None
    assert found.evidence[kind] == f"{name} a.go:1"


@pytest.mark.parametrize("name", ["backend.(*concurrentReadTransaction).UnsafeForEach", "goroutines by v3.(*node).run"])
def test_a_long_name_does_not_hide_when_it_is_too_late(name: str) -> None:
    ahead, kind = Forecast("cgroup limit", GIB, 450.0, 520.0), "task" if " by " in name else "site"
    verdict = a_leak(forecast=ahead, growers=(Grower(kind, name, "a.go:1", 9),))
    assert verdict.summary.startswith(f"leak +1.19 MiB/s: cgroup limit in 7–9 min · {name} a.go:1 +9")


def test_the_sentences_of_the_others() -> None:
    assert a_leak(kind=VerdictKind.NOT_YET, slope=None, why="too little has been seen").summary == (
        "not enough data: too little has been seen"
    )
    assert a_leak(kind=VerdictKind.PLATEAU, why="holds its level").summary == (
        "plateau: live heap after each GC holds its level, 700.0 MiB, over 98 cycles in 4m05s"
    )
    assert a_leak(kind=VerdictKind.SAWTOOTH, why="goes up and down by 90.0 MiB").summary == (
        "sawtooth: live heap after each GC goes up and down by 90.0 MiB around 700.0 MiB, over 98 cycles in 4m05s"
    )
    growing = a_leak(kind=VerdictKind.GROWING, why="seen for 2m00s only", cycles=0, slope=Slope(100, -math.inf, 300))
    assert growing.summary == (
        "growing +351.6 KiB/h: seen for 2m00s only · live heap after each GC rose by 291.0 MiB in 4m05s"
    )


def test_how_bad_it_is() -> None:
    soon, late = Forecast("host memory", GIB, 600.0, 900.0), Forecast("host memory", GIB, 9000.0, 1e5)
    assert a_leak(forecast=late).severity is Severity.WARNING
    assert a_leak(kind=VerdictKind.GROWING, forecast=soon).severity is Severity.WARNING
    assert a_leak(kind=VerdictKind.GROWING, forecast=late).severity is Severity.INFO
    assert a_leak(kind=VerdictKind.PLATEAU).severity is Severity.OK
    assert finding(a_leak(kind=VerdictKind.PLATEAU)) is None


@pytest.mark.parametrize(
    ("per_s", "words"), [(2 * MIB, "+2.00 MiB/s"), (MIB / 60, "+1.00 MiB/min"), (MIB / 600, "+6.00 MiB/h")]
)
def test_rates_in_the_time_that_fits(per_s: float, words: str) -> None:
    assert rate_words(Slope(per_s, 0, 0)) == words


def test_what_grew_most_is_named() -> None:
    then, now = usage_by_leaf(a_profile()), usage_by_leaf(a_profile(1.5))
    before, after = Tasks((a_thread("Prices.watch", "waiting", 3),)), Tasks((a_thread("Prices.watch", "waiting", 30),))
    tasks = task_groups(tasks_by_group(after), tasks_by_group(before), {})
    found = growers(grouped(now, then, {}), tasks, {}, {})
    assert [(grower.kind, grower.name, grower.place) for grower in found] == [
        ("site", "cart.(*Store).Add", "store.go:118"),
        ("site", "session.New", "session.go:52"),
        ("task", "threads by Prices.watch", "shop.py:30"),
    ]
    assert found[2].change == 27
    coroutines = [
        replace(group, kind=TaskKind.ASYNCIO, created_by=Missing("nobody says")) for group in tasks if group.change > 0
    ]
    (grower,) = growers(Missing("not read"), tuple(coroutines), {}, {})
    assert grower.name == f"asyncio tasks of {coroutines[0].frame.function}"
    assert "cart.(*Store).Add" in named(a_leak(), found).summary
    assert named(a_leak(kind=VerdictKind.PLATEAU), found).growers == ()


def test_a_collector_under_pressure_is_evidence() -> None:
    steady = Tendency(1.0, 1.0, 800.0, Course.STEADY)
    pressed = GcTrend(
        collections_per_s=Tendency(0.2, 38 / 60, 800.0, Course.RISES),
        pause_ns=steady,
        cpu_ratio=Tendency(0.021, 0.094, 800.0, Course.RISES),
        allocated_bytes_per_s=Missing("it is not counted"),
    )
    words = "collections rose from 12 /min to 38 /min, their CPU from 2.1 % to 9.4 %"
    assert collector_words(pressed) == words
    assert named(a_leak(), (), words).summary.endswith(f" · {words}")
    assert named(a_leak(kind=VerdictKind.PLATEAU), (), words).collector == ""
    alone = replace(pressed, collections_per_s=Missing("too few"))
    assert collector_words(alone) == "GC CPU from 2.1 % to 9.4 %"
    assert collector_words(replace(alone, cpu_ratio=steady)) == collector_words(None) == ""


def test_what_did_not_grow_is_not_named() -> None:
    same = usage_by_leaf(a_profile())
    assert growers(grouped(same, same, {}), (), {}, {}) == ()
    assert growers(Missing("no profile"), Missing("no tasks"), {}, {}) == ()


def test_what_filled_before_the_window_is_not_named() -> None:
    """The caches of the warm-up hold more than the leak, but have not grown since."""
    now = usage_by_leaf(a_profile(1.5))
    then: dict[Hashable, float] = {frame: usage.inuse_bytes for frame, (usage, _) in now.items()}
    leaking = next(frame for frame in now if frame.function == "session.New")
    then[leaking] -= MIB
    found = growers(grouped(now, {}, {}), (), then, {})
    assert [(grower.name, grower.change) for grower in found] == [("session.New", MIB)]


def test_tasks_that_moved_into_another_group_are_not_named() -> None:
    now = tasks_by_group(Tasks((a_thread("Prices.watch", "waiting", 30), a_thread("Prices.load", "waiting", 1))))
    (watch, load) = now
    groups = task_groups(now, {}, {})
    assert growers(Missing("no profile"), groups, {}, {watch: 1, load: 30}) == ()
    (found,) = growers(Missing("no profile"), groups, {}, {watch: 1, load: 1})
    assert found.change == 29
