"""Levels and growth of any metric are measured as people mean them, and trouble in the source makes no alert."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from memdash.analysis.rules import Measured, PiledUp, measured, parse_condition, parse_rule
from memdash.model.capability import Source
from memdash.model.finding import Finding, NotYet
from memdash.model.metric import METRICS_BY_KEY, Metric
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin, Sample
from memdash.model.series import Timeline
from memdash.sampling.history import History
from memdash.units import MIB
from tests.fakes import NOON_S, a_sample, memstats

Write = Callable[[Mapping[str, Sequence[float | None]]], Timeline]
Values = Sequence[float | None]


def figure(text: str, history: Timeline) -> float:
    found = measured(parse_condition(text), history)
    assert isinstance(found, Measured), found
    return found.figure.value


def finds(text: str, history: Timeline) -> bool:
    return isinstance(parse_rule(text).check(history), Finding)


def rising(per_min: float, length: int = 180, start: float = 100.0, noise: float = 0.0) -> list[float | None]:
    chance = random.Random(3)
    return [start + second * per_min / 60 + noise * chance.uniform(-1, 1) for second in range(length)]


def test_a_level_below_is_found_as_well(written: Write) -> None:
    low = written({"HeapObjects": [10] * 60 + [3] * 40})
    assert finds("HeapObjects < 5 for 30s", low)
    assert not finds("HeapObjects < 5 for 50s", low)
    assert not finds("HeapObjects < 3", low)
    assert finds("HeapObjects <= 3", low)
    assert finds("HeapObjects >= 3", low)


def test_the_rate_of_a_gauge_is_that_of_the_line_through_it(written: Write) -> None:
    tasks = written({"tasks.total": rising(120, noise=20)})
    assert figure("tasks growth > 1/min", tasks) == pytest.approx(120, rel=0.1)
    assert figure("tasks growth > 1/s", tasks) == pytest.approx(2, rel=0.1)
    assert finds("tasks growth > 100/min", tasks)
    assert not finds("tasks growth > 150/min", tasks)


def test_of_a_few_values_no_growth_is_no_standstill(written: Write) -> None:
    assert not finds("tasks growth < 60/min over 10s", written({"tasks.total": rising(240, length=7)}))
    assert finds("tasks growth < 60/min over 10s", written({"tasks.total": [10] * 12}))


def test_growth_by_fits_and_starts_is_no_standstill(written: Write) -> None:
    """As of a program on a busy machine: each value is higher than the last, and yet no line through them is sure."""
    waits: Values = [100, 110, 115, 116, 117, 118, 128, 158, 188, 218, 223]
    assert not finds("tasks growth < 60/min over 10s", written({"tasks.total": waits}))
    assert figure("tasks growth > 60/min over 10s", written({"tasks.total": waits})) == 0


def test_a_fall_that_chance_may_have_made_is_none(written: Write) -> None:
    falls: Values = [160, 100, 150, 110, 160, 90, 150, 100, 140, 90, 130]
    assert figure("tasks growth < 60/min over 10s", written({"tasks.total": falls})) == 0


def test_a_live_heap_of_which_no_growth_is_sure_does_not_stand_still(written: Write) -> None:
    live: Values = [(100 + second / 6 - 40 * (190 <= second < 200)) * MIB for second in range(240)]
    history = written({"heap.live_bytes": live, "NumGC": range(240)})
    assert not finds("heap growth < 1MiB/min", history)
    assert not finds("heap growth > 1MiB/min", history)


def test_a_rate_is_told_after_half_its_window_even_where_ticks_are_left_out(written: Write) -> None:
    rare: Values = [None if second % 2 else 10.0 * second for second in range(13)]
    assert finds("tasks growth > 60/min over 10s", written({"tasks.total": rare}))


def test_a_rate_over_seconds_may_have_to_hold_for_longer_than_single_seconds_are_remembered() -> None:
    history = at_every(1.0, [(100 + second) << 20 for second in range(1500)])
    assert finds("HeapAlloc growth > 30MiB/min over 10s for 20m", history)
    assert not finds("HeapAlloc growth > 90MiB/min over 10s for 20m", history)


def test_what_goes_up_and_down_does_not_grow(written: Write) -> None:
    chance = random.Random(5)
    assert figure("tasks growth > 1/min", written({"tasks.total": [chance.uniform(50, 150) for _ in range(180)]})) == 0
    assert figure("tasks growth > 1/min", written({"tasks.total": [100] * 170 + [160] * 10})) == 0


def test_the_rate_of_a_counter_is_its_increments_even_when_it_goes_back(written: Write) -> None:
    steady: Values = [float(second) for second in range(180)]
    assert figure("NumGC > 1/min", written({"NumGC": steady})) == pytest.approx(60)
    back: Values = [float(second if second < 150 else second - 150) for second in range(180)]
    assert figure("NumGC > 1/min", written({"NumGC": back})) == pytest.approx(60, rel=0.02)
    assert finds("NumGC < 1/min", written({"NumGC": [7.0] * 180}))


def test_a_rate_must_hold_for_its_time(written: Write) -> None:
    lately: Values = [100.0] * 300 + [100.0 + 3 * second for second in range(120)]
    history = written({"tasks.total": lately})
    assert finds("tasks growth > 60/min over 1m", history)
    assert finds("tasks growth > 60/min over 1m for 30s", history)
    assert not finds("tasks growth > 60/min over 1m for 3m", history)


def test_growth_in_all_is_since_the_baseline_or_within_a_time(written: Write) -> None:
    history = written({"tasks.total": [10] * 50 + [110] * 50})
    assert figure("tasks growth > 1", history) == 100
    assert figure("tasks growth > 1 over 1m", history) == 100
    assert figure("tasks growth > 1 over 30s", history) == 0
    assert finds("tasks growth > 99", history)
    assert not finds("tasks growth > 100", history)


def test_growth_in_all_must_hold_for_its_time(written: Write) -> None:
    history = written({"tasks.total": [10] * 50 + [110] * 50, "NumGC": [5] * 50 + [105] * 50})
    for metric in ("tasks", "NumGC"):
        for clauses in ("", " over 1m"):
            assert finds(f"{metric} growth > 64{clauses} for 40s", history)
            assert not finds(f"{metric} growth > 64{clauses} for 55s", history)
        assert not finds(f"{metric} growth > 64 over 30s for 10s", history)
    assert finds("tasks growth < 64 for 10s", written({"tasks.total": [10] * 100}))
    assert not finds("tasks growth < 64 for 60s", history)


@pytest.mark.parametrize("clauses", ["", " over 1h"])
def test_growth_in_all_is_not_found_before_its_time_is_over(written: Write, clauses: str) -> None:
    rule = parse_rule(f"tasks growth > 64{clauses} for 2m")
    assert isinstance(rule.check(written({"tasks.total": [10] * 10 + [110] * 90})), NotYet)
    assert rule.check(written({"tasks.total": [10] * 60 + [110] * 100})) is None
    assert rule.check(written({"tasks.total": [10] * 60 + [110] * 100 + [20] * 9 + [110] * 100})) is None
    assert isinstance(rule.check(written({"tasks.total": [10] * 60 + [110] * 130})), Finding)


def test_a_gap_or_a_new_baseline_breaks_growth_that_must_hold(written: Write) -> None:
    rule = parse_rule("tasks growth > 64 for 1m")
    assert rule.check(written({"tasks.total": [10] * 60 + [110] * 60 + [None] + [110] * 50})) is None
    history = written({"tasks.total": [10] * 60 + [110] * 100})
    history.baseline = Instant(NOON_S - 30, history.until.mono_s - 30)  # type: ignore[misc]
    assert rule.check(history) is None


@pytest.mark.parametrize("clauses", ["", " over 5m"])
def test_growth_of_the_live_heap_must_hold_for_its_time(written: Write, clauses: str) -> None:
    def grown(after_s: int) -> Timeline:
        live = [100.0] * 300 + [200.0] * after_s
        return written({"heap.live_bytes": live, "NumGC": [float(second // 5) for second in range(len(live))]})

    rule = parse_rule(f"heap growth > 64{clauses} for 2m")
    assert rule.check(grown(60)) is None
    assert isinstance(rule.check(grown(150)), Finding)
    assert isinstance(rule.check(written({"heap.live_bytes": [1.0] * 30, "NumGC": range(30)})), NotYet)


def test_a_rate_of_the_live_heap_must_hold_for_its_time(written: Write) -> None:
    def growing(after_s: int) -> Timeline:
        live = [100.0 * MIB] * 600 + [(100 + second / 6) * MIB for second in range(after_s)]
        return written({"heap.live_bytes": live, "NumGC": [float(second // 2) for second in range(len(live))]})

    rule = parse_rule("heap growth > 1MiB/min for 5m")
    assert isinstance(parse_rule("heap growth > 1MiB/min").check(growing(120)), Finding)
    assert rule.check(growing(120)) is None
    assert rule.check(growing(280)) is None
    assert isinstance(rule.check(growing(400)), Finding)


def test_a_rate_of_the_live_heap_may_have_to_hold_for_longer_than_its_window_where_collections_are_rare(
    written: Write,
) -> None:
    live = [(100 + second // 30) * MIB for second in range(1500)]
    history = written({"heap.live_bytes": live, "NumGC": [float(second // 30) for second in range(1500)]})
    assert finds("heap growth > 1MiB/min for 5m", history)
    assert not finds("heap growth > 3MiB/min for 5m", history)


def test_growth_since_the_attach_knows_what_was_there_days_ago() -> None:
    """The first value stands in no bucket of its own any more after six hours, and in none after three days."""
    memory, keys = {"system.fds": 10.0}, ("system.rss_bytes", "TotalAlloc", "tasks.total")

    def of(key: str) -> Metric:
        return replace(METRICS_BY_KEY[key], read=lambda _: memory[key])

    metrics = [of(key) for key in (*keys, "system.fds")]
    history = History(1.0, metrics)
    rules = [parse_rule(f"{key} growth > 64") for key in keys]
    pile = PiledUp("pile", least=50, share=0.5, for_s=60.0)
    origins = {metric.capability: Origin(Source.MEMORY, Instant(NOON_S, 0.0)) for metric in metrics}
    for second in (*range(120), *range(120, 4 * 86_400, 60)):
        at = Instant(NOON_S + second, 10_000.0 + second)
        grown = 0 if second < 20 else 100
        memory |= {"system.rss_bytes": 10.0 + grown, "tasks.total": 10.0 + (100 if second >= 40 else 0)}
        memory["TotalAlloc"] = 10.0 + grown if second < 60 else 5.0
        history.append(replace(Sample.empty(at, Missing("not read")), origins=origins))
        if second in (100, 900, 3600, 30_000, 90_000, 300_000, 4 * 86_400 - 60):
            view = history.view()
            assert [isinstance(rule.check(view), Finding) for rule in rules] == [True] * 3
            assert isinstance(pile.check(view), Finding)


def test_a_spike_is_no_growth_in_all(written: Write) -> None:
    assert not finds("tasks growth > 50", written({"tasks.total": [10] * 98 + [900, 900]}))


def test_growth_in_all_of_a_counter_that_goes_back_is_what_it_counted(written: Write) -> None:
    assert figure("NumGC growth > 1", written({"NumGC": [100, 105, 110, 2, 5]})) == 13


@pytest.mark.parametrize(
    "text",
    ["HeapAlloc > 1 for 5s", "HeapAlloc growth > 1", "HeapAlloc growth > 1/min", "NumGC > 1/min", "heap growth > 1/min",
     "heap growth > 1", "HeapAlloc < 1 for 5s", "HeapAlloc growth < 1 over 1h"],
)  # fmt: skip
@pytest.mark.parametrize(
    "values",
    [[], [None] * 200, [1.0], [1.0] * 3 + [None] * 197, [math.nan] * 50],
    ids=["none", "gap", "one", "ceased", "nan"],
)
def test_what_is_not_known_is_not_yet_told(written: Write, text: str, values: Values) -> None:
    history = written({"HeapAlloc": values, "heap.live_bytes": values, "NumGC": values, "system.threads": [1.0] * 2})
    assert isinstance(parse_rule(text).check(history), NotYet)


def at_every(step_s: float, heaps: Sequence[int]) -> Timeline:
    """The history of a watch with so rare samples."""
    history = History(step_s)
    for number, heap in enumerate(heaps):
        at = Instant(NOON_S + number * step_s, 10_000.0 + number * step_s)
        history.append(a_sample(at, memstats(heap, NumGC=4000 + number)))
    return history.view()


def test_one_sample_an_hour_is_enough() -> None:
    hourly = at_every(3600.0, [(100 + hour) << 20 for hour in range(30)])
    assert finds("HeapAlloc > 100MiB for 30s", hourly)
    assert finds("HeapAlloc > 100MiB for 2h", hourly)
    assert figure("HeapAlloc growth > 1MiB/h", hourly) == pytest.approx(1 << 20, rel=0.01)
    assert figure("NumGC > 1/h", hourly) == pytest.approx(1, rel=0.01)
    assert figure("HeapAlloc growth > 1MiB over 5h", hourly) == pytest.approx(3 << 20, rel=0.7)


def test_a_finding_is_held_until_it_is_back_at_its_end(written: Write) -> None:
    rule = parse_rule("tasks > 100 for 10s clear 50")
    began = rule.check(written({"tasks.total": [120] * 20}))
    assert isinstance(began, Finding)
    between = written({"tasks.total": [120] * 20 + [60]})
    assert isinstance(rule.check(between, began), Finding)
    assert rule.check(between) is None
    assert rule.check(written({"tasks.total": [120] * 20 + [50]}), began) is None
    assert isinstance(rule.check(written({"tasks.total": [120] * 20 + [None]}), began), NotYet)


def test_without_an_end_of_its_own_it_is_over_at_the_bound(written: Write) -> None:
    rule = parse_rule("tasks > 100 for 10s")
    began = rule.check(written({"tasks.total": [120] * 20}))
    assert isinstance(began, Finding)
    assert isinstance(rule.check(written({"tasks.total": [120] * 20 + [101]}), began), Finding)
    assert rule.check(written({"tasks.total": [120] * 20 + [100]}), began) is None


def test_a_sentence_says_what_was_measured(written: Write) -> None:
    history = written({"tasks.total": rising(120), "HeapObjects": [3] * 180})
    said = {
        text: found.summary
        for text in ("tasks growth > 100/min", "tasks growth > 99", "HeapObjects < 5 for 1m")
        if isinstance(found := parse_rule(text).check(history), Finding)
    }
    assert said == {
        "tasks growth > 100/min": "tasks +120/min over 100/min in the last 2m00s",
        "tasks growth > 99": "tasks growth +354 over 99: tasks was 100 and is 454",
        "HeapObjects < 5 for 1m": "HeapObjects 3 under 5 for 1m00s",
    }
