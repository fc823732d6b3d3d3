"""Budgets are broken by what is over them, kept by what is not, and say so when they cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import cast

import pytest

from memdash.analysis.arrivals import Arrival, TaskOrigin
from memdash.analysis.budget import Watched
from memdash.analysis.budgets import Never, NoLeak, NoNewTasks, budget_of, judged
from memdash.analysis.rules import parse_rule
from memdash.model.check import Judgement, Outcome
from memdash.model.finding import NotYet
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.series import Timeline
from memdash.model.snapshot import Snapshot
from memdash.model.tasks import TaskKind
from memdash.model.verdict import Verdict, VerdictKind
from memdash.units import MIB
from tests.analysis.conftest import Written
from tests.fakes import a_snapshot

Values = Mapping[str, Sequence[float | None]]


@pytest.fixture(scope="module")
def shown() -> Snapshot:
    return a_snapshot(3)


@pytest.fixture
def judge(shown: Snapshot) -> Callable[[str, Values], Judgement]:
    """What becomes of the budget that a condition would break."""

    def judged_by(condition: str, values: Values) -> Judgement:
        history = cast("Timeline", Written(values))
        last = replace(shown, history=history, at=history.until)
        return budget_of(parse_rule(condition)).judge(Watched(last, ()))

    return judged_by


Judge = Callable[[str, Values], Judgement]


def collected(live: Sequence[float], every: int = 2, per_s: float = 4 * MIB) -> Values:
    """A Go heap: what lives after collections that end every so many seconds, and what was allocated so far."""
    held = [value for value in live for _ in range(every)]
    return {
        "heap.live_bytes": held,
        "NumGC": [100 + second // every for second in range(len(held))],
        "TotalAlloc": list(accumulate([0.0] + [per_s] * (len(held) - 1))),
    }


def collected_at(ends: Sequence[int], live: Sequence[float]) -> Values:
    """The same of collections that end at these seconds; the first value is what lived before them."""
    cycles = [sum(end <= second for end in ends) for second in range(ends[-1] + 1)]
    return {
        "heap.live_bytes": [live[cycle] for cycle in cycles],
        "NumGC": [float(cycle) for cycle in cycles],
        "TotalAlloc": [float(MIB * second) for second in range(len(cycles))],
    }


def test_a_limit_counts_at_every_moment(judge: Judge) -> None:
    found = judge("HeapAlloc > 512MiB", {"HeapAlloc": [100 * MIB, 600 * MIB, 100 * MIB]})
    assert found.name == "HeapAlloc at most 512MiB"
    assert found.outcome is Outcome.FAILED
    assert found.value is not None
    assert found.value.words == "600.0 MiB"
    assert found.why.startswith("highest at ")


def test_what_keeps_to_it_says_what_is_left(judge: Judge) -> None:
    found = judge("HeapAlloc > 512MiB", {"HeapAlloc": [100 * MIB, 128 * MIB, 100 * MIB]})
    assert found.outcome is Outcome.PASSED
    assert found.margin_ratio == 0.75


@pytest.mark.parametrize(("least", "outcome"), [(40, Outcome.FAILED), (60, Outcome.PASSED)])
def test_too_little_can_be_wrong_as_well(judge: Judge, least: float, outcome: Outcome) -> None:
    found = judge("tasks.total < 50", {"tasks.total": [80, least, 80]})
    assert found.name == "tasks.total at least 50"
    assert found.outcome is outcome
    assert found.margin_ratio == pytest.approx(least / 50 - 1)


def test_what_is_not_read_is_not_judged_and_says_why(judge: Judge) -> None:
    found = judge("cgroup.used_ratio > 0.9", {"HeapAlloc": [1, 2, 3]})
    assert found.outcome is Outcome.UNKNOWN
    assert found.required
    assert found.why == "cgroup used is not known"


def test_a_value_that_covers_the_time_before_it_counts_once_that_is_within_the_watch(judge: Judge) -> None:
    pauses = [90_000_000] * 9 + [1_000_000] * 20
    found = judge("gc.pause > 5ms", {"gc.pause_recent_ns": pauses})
    assert found.value is not None
    assert (found.outcome, found.value.words) == (Outcome.PASSED, "1.00 ms")
    found = judge("gc.pause > 5ms", {"gc.pause_recent_ns": [1_000_000] * 9})
    assert found.outcome is Outcome.UNKNOWN
    assert found.why == "it covers 10 s, and 8.0 s were watched: watch for longer"


def test_a_heap_that_is_collected_ever_more_seldom_has_grown_by_what_it_holds_lately(judge: Judge) -> None:
    # Collections as far apart as a growing heap has them: the last fifth of them took most of the watch.
    ends = [round(1.12**cycle) for cycle in range(1, 61)]
    found = judge("heap.live_bytes growth > 1MiB", collected_at(ends, [0.0, *(MIB * end for end in ends)]))
    assert found.value is not None
    assert found.value.value > 0.7 * MIB * ends[-1]


def test_what_is_held_at_one_late_collection_alone_has_not_grown(judge: Judge) -> None:
    live = [100.0 * MIB] * 13 + [200.0 * MIB]
    found = judge("heap.live_bytes growth > 1MiB", collected_at([*range(1, 13), 40], live))
    assert found.value is not None
    assert found.value.value == 0


def test_growth_is_that_of_what_lives_after_collections_of_the_watch(judge: Judge) -> None:
    # The first value is that of a collection before it: what came before the second had been there already.
    found = judge("heap.live_bytes growth > 30MiB", collected([4 * MIB, *(MIB * live for live in range(100, 141, 2))]))
    assert found.name == "growth at most 30MiB"
    assert found.outcome is Outcome.FAILED
    assert found.value is not None
    assert found.value.value == 34 * MIB  # to the lowest of the last four
    assert found.why.startswith("live heap after each GC was 100.0 MiB and is at least 134.0 MiB")
    assert found.evidence  # the sites that grew


def test_what_comes_and_goes_is_no_growth(judge: Judge) -> None:
    saw = [(50 + 20 * (second % 3)) * MIB for second in range(60)]
    found = judge("heap.live_bytes growth > 1MiB", {"system.rss_bytes": [*saw, 50 * MIB]})
    assert found.outcome is Outcome.PASSED


@pytest.mark.parametrize(("per_s", "outcome"), [(MIB, Outcome.PASSED), (8 * MIB, Outcome.UNKNOWN)])
def test_without_collections_what_was_allocated_in_all_bounds_it(judge: Judge, per_s: float, outcome: Outcome) -> None:
    found = judge("heap.live_bytes growth > 64MiB", collected([50 * MIB], every=30, per_s=per_s))
    assert found.outcome is outcome
    if outcome is Outcome.UNKNOWN:
        assert found.why.startswith("no collections ended in 29 s")


@pytest.mark.parametrize(
    ("condition", "malloc", "words"),
    [
        ("heap.live_bytes growth > 1MiB", None, "floor of the live heap without malloc's part was "),
        ("heap.live_bytes growth > 1MiB", 9.0, "floor of the live heap was "),
        ("heap.live_bytes growth > 1MiB/min", None, "floor of the live heap without malloc's part over "),
    ],
)
def test_growth_says_of_what_it_is(judge: Judge, condition: str, malloc: float | None, words: str) -> None:
    """Of a CPython, with an agent that tells malloc's part or without."""
    seconds = range(30)
    seen = judge(
        condition,
        {
            "heap.live_bytes": [MIB * second for second in seconds],
            "gc.full_collections": [1.0 for _ in seconds],
            "system.rss_bytes": [99.0 * MIB for _ in seconds],
            "malloc.in_use_bytes": [malloc for _ in seconds],
        },
    )
    assert seen.outcome is Outcome.FAILED
    assert seen.why.startswith(words)


def test_a_rate_is_that_of_the_line(judge: Judge) -> None:
    rising = {"system.rss_bytes": [100 * MIB + second * MIB / 30 for second in range(60)]}
    broken, kept = (judge(f"heap.live_bytes growth > {limit}MiB/min", rising) for limit in (1, 3))
    assert (broken.outcome, kept.outcome) == (Outcome.FAILED, Outcome.PASSED)
    assert broken.value is not None
    assert broken.value.words == "+2.00 MiB/min"


def test_a_steep_line_through_noise_breaks_nothing(judge: Judge) -> None:
    noise = {"system.rss_bytes": [(100 + (second * 37 % 23)) * MIB for second in range(60)]}
    assert judge("heap.live_bytes growth > 10KiB/min", noise).outcome is Outcome.PASSED


def test_a_rate_wants_some_time(judge: Judge) -> None:
    found = judge("heap.live_bytes growth > 1MiB/min", {"system.rss_bytes": [MIB * 100.0] * 5})
    assert found.outcome is Outcome.UNKNOWN
    assert "a rate takes 8 within 10 s or longer" in found.why


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (VerdictKind.LEAK, Outcome.FAILED),
        (VerdictKind.GROWING, Outcome.UNKNOWN),
        (VerdictKind.NOT_YET, Outcome.UNKNOWN),
        (VerdictKind.WARM_UP, Outcome.PASSED),
        (VerdictKind.PLATEAU, Outcome.PASSED),
    ],
)
def test_the_verdict_alone_is_not_required(shown: Snapshot, kind: VerdictKind, outcome: Outcome) -> None:
    verdict = Verdict(kind=kind, at_s=0.0, why="", basis="", summary=f"{kind.value}: as seen")
    found = NoLeak().judge(Watched(replace(shown, verdict=verdict), ()))
    assert (found.outcome, found.required) == (outcome, False)
    assert "as seen" in found.why


def test_new_tasks_are_named(shown: Snapshot) -> None:
    origin = TaskOrigin(TaskKind.GOROUTINE, Frame("main.watch", "/src/shop/store.go", 77), is_creator=True)
    found = NoNewTasks().judge(Watched(shown, (Arrival(origin, 3, 45),)))
    assert found.outcome is Outcome.FAILED
    assert found.evidence == (
        "+42 goroutines by main.watch shop/store.go:77, at most 3 at first, never fewer than 45 at last",
    )
    assert NoNewTasks().judge(Watched(shown, ())).outcome is Outcome.PASSED
    assert NoNewTasks().judge(Watched(shown, NotYet("seen once"))).outcome is Outcome.UNKNOWN


def test_a_rule_that_found_something_is_broken_even_when_it_has_passed(shown: Snapshot) -> None:
    rule = parse_rule("HeapAlloc > 512MiB for 3s")
    budget = budget_of(rule)
    assert isinstance(budget, Never)
    over = rule.check(cast("Timeline", Written({"HeapAlloc": [600 * MIB] * 9})))
    assert over is not None
    assert not isinstance(over, NotYet)
    calm = replace(shown, history=cast("Timeline", Written({"HeapAlloc": [MIB] * 9})), findings=())
    broken = budget.judge(Watched(replace(calm, findings=(replace(over, ended_at_s=1.0),)), ()))
    assert (broken.name, broken.outcome) == ("never HeapAlloc > 512MiB for 3s", Outcome.FAILED)
    assert "HeapAlloc 600.0 MiB over 512.0 MiB" in broken.why
    assert budget.judge(Watched(calm, ())).outcome is Outcome.PASSED
    short = replace(calm, history=cast("Timeline", Written({"HeapAlloc": [MIB]})))
    assert budget.judge(Watched(short, ())).outcome is Outcome.UNKNOWN


def test_a_rate_is_judged_over_half_a_watch_that_ended_before_its_window(judge: Judge) -> None:
    """Nobody knows beforehand how long a command runs."""
    steady = {"tasks.total": [10.0] * 40}
    assert judge("tasks.total growth > 100/min", steady).outcome is Outcome.PASSED
    rising = {"tasks.total": [10.0 + 5 * second for second in range(40)]}
    assert judge("tasks.total growth > 100/min", rising).outcome is Outcome.FAILED
    assert judge("tasks.total growth > 100/min", {"tasks.total": [10.0]}).outcome is Outcome.UNKNOWN


def test_the_worst_stands_first(shown: Snapshot) -> None:
    history = cast("Timeline", Written({"HeapAlloc": [100.0] * 9, "Sys": [100.0] * 9}))
    asked = ["HeapAlloc > 200", "Sys > 50", "HeapAlloc > 10", "fds > 1", "HeapAlloc > 110"]
    budgets = [budget_of(parse_rule(text)) for text in asked]
    found = judged(budgets, Watched(replace(shown, history=history), ()))
    assert [judgement.name for judgement in found] == [
        "HeapAlloc at most 10",
        "Sys at most 50",
        "system.fds at most 1",
        "HeapAlloc at most 110",
        "HeapAlloc at most 200",
    ]
    unseen = judged(budgets, NotYet("nothing was seen"))
    assert {judgement.outcome for judgement in unseen} == {Outcome.UNKNOWN}
    assert {judgement.why for judgement in unseen} == {"nothing was seen"}


def test_the_tasks_that_came_and_stayed_are_named_where_memory_grew(shown: Snapshot) -> None:
    frame = Frame("Worker.run", "/srv/shop/shop.py", 30)
    came = (Arrival(TaskOrigin(TaskKind.THREAD, frame, is_creator=True), before=3, now=15),)
    history = cast("Timeline", Written({"system.rss_bytes": [MIB * second for second in range(60)]}))
    for text in ("heap.live_bytes growth > 1MiB", "heap.live_bytes growth > 1MiB/min"):
        found = budget_of(parse_rule(text)).judge(Watched(replace(shown, history=history), came))
        assert found.outcome is Outcome.FAILED
        assert found.evidence[0].endswith(" if it goes on like that")
        assert found.evidence[-1].startswith("+12 threads by Worker.run shop/shop.py:30, at most 3 at first")


def test_without_sites_the_types_that_grew_are_named(shown: Snapshot) -> None:
    bare = replace(shown, groups=Missing("it does not trace"), objects=Missing("not counted"))
    history = cast("Timeline", Written({"system.rss_bytes": [MIB * second for second in range(60)]}))
    found = budget_of(parse_rule("heap.live_bytes growth > 1MiB")).judge(Watched(replace(bare, history=history), ()))
    assert found.evidence == (
        "1.00 GiB cgroup limit in 2–9 min if it goes on like that",
        "which sites grew is not known: it does not trace",
    )
