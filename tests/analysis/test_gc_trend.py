"""The course of the collector, from counters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import cast

import pytest

from memdash.analysis.gc_trend import gc_trend
from memdash.model.gc_trend import Course, Tendency
from memdash.model.missing import Maybe, Missing
from memdash.model.series import Timeline
from memdash.units import MIB

Write = Callable[[Mapping[str, Sequence[float | None]]], Timeline]
NOW_S = 1000.0
"""Of a timeline written by hand, on its own clock."""


def told(found: Maybe[Tendency]) -> Tendency:
    assert not isinstance(found, Missing), found
    return found


def counters(seconds: int, per_s: Callable[[int], float], pause_ns: float = 1e5) -> dict[str, Sequence[float | None]]:
    """Collections at a rate, each so long; a tenth of all CPU goes to them, and 20 MiB are allocated a second."""
    collections = [float(int(sum_)) for sum_ in accumulate(per_s(second) for second in range(seconds))]
    return {
        "NumGC": collections,
        "PauseTotalNs": [pause_ns * number for number in collections],
        "TotalAlloc": [20.0 * MIB * second for second in range(seconds)],
        "GCCPUFraction": [0.1] * seconds,
    }


def test_a_steady_collector_is_called_so(written: Write) -> None:
    trend = gc_trend(written(counters(600, lambda _: 0.5)), NOW_S - 600)
    often = told(trend.collections_per_s)
    assert often.course is Course.STEADY
    assert often.now == pytest.approx(0.5, rel=0.05)
    assert told(trend.pause_ns).now == pytest.approx(1e5)
    assert told(trend.cpu_ratio).now == pytest.approx(0.1, rel=0.05)
    assert told(trend.allocated_bytes_per_s).now == pytest.approx(20 * MIB)
    assert often.window_s == pytest.approx(599)


def test_one_that_runs_more_and_more_is_told_with_where_it_was(written: Write) -> None:
    trend = gc_trend(written(counters(600, lambda second: 0.2 + second / 600)), NOW_S - 600)
    often = told(trend.collections_per_s)
    assert often.course is Course.RISES
    assert often.before == pytest.approx(0.2, abs=0.05)
    assert often.now == pytest.approx(1.2, abs=0.05)
    assert told(trend.allocated_bytes_per_s).course is Course.STEADY


def test_one_that_calms_down_falls(written: Write) -> None:
    trend = gc_trend(written(counters(600, lambda second: 1.2 - second / 600)), NOW_S - 600)
    assert told(trend.collections_per_s).course is Course.FALLS


def test_the_share_of_late_is_not_that_of_a_life(written: Write) -> None:
    """A program of an hour, whose collector took nothing before this quarter of an hour, and half of a CPU in it."""
    seconds = 900
    values = counters(seconds, lambda _: 0.5)
    values["GCCPUFraction"] = [0.5 * second / (2700 + second) for second in range(seconds)]
    share = told(gc_trend(written(values), NOW_S - 3600 + 1).cpu_ratio)
    assert share.now == pytest.approx(0.5, rel=0.02)
    assert values["GCCPUFraction"][-1] == pytest.approx(0.125, rel=0.01)


def test_what_was_before_a_reset_does_not_count(written: Write) -> None:
    before, after = counters(300, lambda _: 5.0), counters(200, lambda _: 0.5)
    both = {key: [*before[key], *after[key]] for key in before}
    often = told(gc_trend(written(both), NOW_S - 500).collections_per_s)
    assert often.course is Course.STEADY
    assert often.now == pytest.approx(0.5, rel=0.1)
    assert often.window_s < 200


def test_it_says_why_it_cannot_tell(written: Write) -> None:
    soon = gc_trend(written(counters(30, lambda _: 0.5)), NOW_S - 600)
    assert cast(Missing, soon.collections_per_s).why == "it takes a minute to see which way it goes"
    rare = gc_trend(written(counters(600, lambda _: 1 / 200)), NOW_S - 600)
    assert cast(Missing, rare.pause_ns).why == "there have been too few collections to see which way it goes"
    untimed = gc_trend(written({"NumGC": counters(600, lambda _: 0.5)["NumGC"]}), Missing("asked by its URL"))
    assert told(untimed.collections_per_s).course is Course.STEADY
    assert untimed.pause_ns == Missing("it is not counted")
    assert untimed.cpu_ratio == Missing("asked by its URL")
    nothing = gc_trend(written({"NumGC": [None] * 600}), NOW_S)
    assert isinstance(nothing.collections_per_s, Missing)


def test_gaps_and_nonsense_do_no_harm(written: Write) -> None:
    values = counters(600, lambda _: 0.5)
    holes = {key: [None if second % 7 == 0 else v for second, v in enumerate(column)] for key, column in values.items()}
    often = told(gc_trend(written(holes), NOW_S - 600).collections_per_s)
    assert often.now == pytest.approx(0.5, rel=0.05)
