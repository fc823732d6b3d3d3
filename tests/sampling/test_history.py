"""History keeps spikes and gaps, is bounded, and a view of it stands still."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memdash.analysis.rates import change_per_s, per_second
from memdash.analysis.rules import parse_rule
from memdash.model.capability import Capability, Source
from memdash.model.finding import Finding
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin, Sample
from memdash.model.series import TIERS, Start
from memdash.sampling.history import History
from tests.fakes import NOON_S, a_sample, memstats

START_S = 10_020.0


def at(second: float) -> Instant:
    return Instant(NOON_S + second, START_S + second)


def sample(second: float, heap_bytes: int) -> Sample:
    return a_sample(at(second), memstats(heap_bytes))


def test_a_spike_of_one_sample_survives_in_every_tier() -> None:
    history = History(1.0)
    for second in range(700):
        history.append(sample(second, 900 if second == 333 else 100))
    for tier, (step_s, _) in zip(history._tiers, TIERS, strict=True):
        assert max(tier.high["HeapAlloc"]) == 900
        assert tier.step_s == step_s
        assert min(tier.low["HeapAlloc"]) == 100


def test_samples_within_a_second_share_a_bucket() -> None:
    history = History(0.1)
    for tenth, heap in enumerate([5, 9, 1, 7]):
        history.append(sample(tenth / 10, heap))
    series = history.view().series("HeapAlloc", 60)
    assert (list(series.low), list(series.high), list(series.last)) == ([1], [9], [7])


def test_a_missing_value_is_a_gap_and_no_zero() -> None:
    history = History(1.0)
    history.append(sample(0, 10))
    history.append(replace(sample(1, 10), memstats=Missing("unreadable")))
    history.append(sample(2, 30))
    last = history.view().series("HeapAlloc", 60).last
    assert last[0] == 10
    assert math.isnan(last[1])
    assert last[2] == 30


def test_a_failing_probe_leaves_gaps_although_its_old_value_still_shows() -> None:
    history = History(1.0)
    history.append(sample(0, 10))
    late = sample(1, 10)
    origin = replace(late.origins[Capability.MEMSTATS], failing="too slow")
    history.append(replace(late, origins={**late.origins, Capability.MEMSTATS: origin}))
    assert math.isnan(history.view().series("HeapAlloc", 60).last[1])


def test_a_gap_does_not_hide_what_the_bucket_already_has() -> None:
    history = History(0.5)
    history.append(sample(0.0, 10))
    history.append(replace(sample(0.5, 10), memstats=Missing("unreadable")))
    series = history.view().series("HeapAlloc", 60)
    assert list(series.last) == [10]


def test_a_view_does_not_see_what_comes_later() -> None:
    history = History(1.0)
    history.append(sample(0, 1))
    view = history.view()
    history.append(sample(1, 2))
    assert list(view.series("HeapAlloc", 60).last) == [1]
    assert view.until == at(0)


def test_a_view_does_not_see_what_its_newest_bucket_still_takes_in() -> None:
    history = History(0.5)
    for half in range(2_600):
        history.append(sample(half / 2, 1))
    view = history.view()
    for half in range(2_600, 2_700):
        history.append(sample(half / 2, 999))
    for span_s, spacing_s in ((60, 1), (1_250, 10)):
        series = view.series("HeapAlloc", span_s)
        assert series.spacing_s == spacing_s
        assert max(series.high) == 1
        assert series.seen_s[-1] == view.until.mono_s


def test_a_rate_within_buckets_is_that_of_the_samples() -> None:
    history = History(0.1)
    for tenth in range(300):
        history.append(sample(tenth / 10, 1_000 * tenth))
        if tenth > 150:
            rate = change_per_s(METRICS_BY_KEY["HeapAlloc"], history.view())
            assert rate == pytest.approx(10_000)
            assert per_second(history.view().series("HeapAlloc", 10)).last[-1] == pytest.approx(10_000)


def test_an_empty_history_answers_with_nothing() -> None:
    assert len(History(1.0).view().series("HeapAlloc", 60)) == 0


def test_the_finest_tier_that_reaches_back_answers() -> None:
    history = History(1.0)
    for second in range(2_000):
        history.append(sample(second, second))
    view = history.view()
    assert view.series("HeapAlloc", 300).spacing_s == 1
    assert view.series("HeapAlloc", 1_800).spacing_s == 10
    assert view.series("HeapAlloc", 1_800).last[-1] == 1_999
    assert view.since == at(0)


def test_a_span_longer_than_the_watch_is_answered_in_the_finest_tier() -> None:
    history = History(1.0)
    for second in range(20):
        history.append(sample(second, second))
    series = history.view().series("HeapAlloc", 86_400)
    assert len(series) == 20
    assert series.spacing_s == 1


def test_a_slow_interval_is_not_taken_for_gaps() -> None:
    history = History(5.0)
    for tick in range(4):
        history.append(sample(5 * tick, tick))
    assert history.view().series("HeapAlloc", 60).spacing_s == 5


def test_days_are_bounded() -> None:
    history = History(60.0)
    one = sample(0, 1)
    for minute in range(3 * 1440 + 3000):
        history.append(replace(one, at=at(60.0 * minute)))
    for tier, (_, capacity) in zip(history._tiers, TIERS, strict=True):
        assert len(tier.times_s) <= capacity * 9 / 8
        assert {len(column) for column in tier.last.values()} == {len(tier.times_s)}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 40), st.integers(0, 2**50)), min_size=1, max_size=60))
def test_no_value_is_lost_or_made_up(steps: list[tuple[float, int]]) -> None:
    history = History(1.0)
    now, seen = 0.0, []
    for wait_s, heap in steps:
        now += wait_s
        history.append(sample(now, heap))
        seen.append(float(heap))
    series = history.view().series("HeapAlloc", now + 1)
    assert min(series.low) == min(seen)
    assert max(series.high) == max(seen)
    assert series.last[-1] == seen[-1]
    assert list(series.times_s) == sorted(series.times_s)
    assert series.last[-1] == pytest.approx(seen[-1])


def told_by(source: Source, second: float, heap_bytes: int) -> Sample:
    told = sample(second, heap_bytes)
    origins = {**told.origins, Capability.MEMSTATS: Origin(source, told.at)}
    return replace(told, origins=origins)


def test_another_source_starts_its_metrics_anew() -> None:
    """An agent adds malloc to HeapAlloc and goes again: neither step is a change, a finding or a part of a chart."""
    heap, rss = METRICS_BY_KEY["HeapAlloc"], METRICS_BY_KEY["system.rss_bytes"]
    rules = (parse_rule("HeapAlloc > 2000 for 5s", "heap"), parse_rule("heap growth > 1/s over 20s", "growth"))
    history = History(1.0)
    for second in range(90):
        by_agent = 30 <= second < 60
        source = Source.AGENT if by_agent else Source.MEMORY
        history.append(told_by(source, second, (5000 if by_agent else 1000) + second % 2))
        view = history.view()
        rate = change_per_s(heap, view)
        if second in (0, 30, 60):
            assert isinstance(rate, Missing)
            assert len(view.series("HeapAlloc", 60)) == 1
        else:
            assert not isinstance(rate, Missing)
            assert abs(rate) <= 1
        found = [rule.name for rule in rules if isinstance(rule.check(view), Finding)]
        assert found == (["heap"] if 34 <= second < 60 else [])
    assert set(history.view().series("HeapAlloc", 300).last) == {1000, 1001}
    assert len(history.view().series(rss.key, 300)) == 90


def test_a_paused_view_does_not_start_anew() -> None:
    history = History(1.0)
    for second in range(5):
        history.append(told_by(Source.MEMORY, second, 1000))
    paused = history.view()
    history.append(told_by(Source.AGENT, 5, 5000))
    assert list(paused.series("HeapAlloc", 60).last) == [1000] * 5
    assert list(history.view().series("HeapAlloc", 60).last) == [5000]


def test_changes_count_from_the_attach_or_from_a_baseline_even_one_of_the_past() -> None:
    history = History(1.0)
    for second in range(100):
        history.append(a_sample(at(second), memstats(1000 + second, NumGC=second % 40)))
    view = history.view()
    assert view.start("HeapAlloc") == Start(1000, 1030, 0)
    assert view.start("NumGC") == Start(0, 30, 78)
    marked = history.view(at(99))
    assert (marked.start("HeapAlloc"), marked.start("NumGC")) == (Start(1099, 1099, 0), Start(19, 19, 0))
    past = history.view(at(50))
    assert (past.start("HeapAlloc"), past.start("NumGC")) == (Start(1050, 1050, 0), Start(10, 10, 39))
    history.append(a_sample(at(100), memstats(1, NumGC=3)))
    assert past.start("NumGC") == Start(10, 10, 39)
    assert history.view(at(50)).start("NumGC") == Start(10, 10, 55)
    assert history.view().start("HeapAlloc") == view.start("HeapAlloc")


def test_what_is_known_later_counts_from_then_on() -> None:
    history = History(1.0)
    for second in range(60):
        read = sample(second, 1000 + second)
        history.append(read if second >= 50 else replace(read, memstats=Missing("not yet")))
        if second == 20:
            history.view(at(20))
    assert history.view(at(20)).start("HeapAlloc") == history.view().start("HeapAlloc") == Start(1050, 1050, 0)
    assert history.view().start("no such metric") is None


def test_another_source_starts_what_changes_count_from_anew() -> None:
    history = History(1.0)
    history.append(told_by(Source.MEMORY, 0, 1000))
    history.append(told_by(Source.MEMORY, 1, 1001))
    history.view(at(1))
    history.append(told_by(Source.AGENT, 2, 5000))
    assert history.view(at(1)).start("HeapAlloc") == history.view().start("HeapAlloc") == Start(5000, 5000, 0)


def test_the_longest_that_a_rule_may_take_is_remembered() -> None:
    rule = parse_rule("HeapAlloc > 5 for 3d")
    metric = replace(METRICS_BY_KEY["HeapAlloc"], read=lambda _: 9.0)
    history, one = History(60.0, [metric]), sample(0, 1)
    found = []
    for minute in range(5000):
        history.append(replace(one, at=at(60.0 * minute)))
        if minute % 100 == 0:
            found.append(isinstance(rule.check(history.view()), Finding))
    assert found == [False] * 44 + [True] * 6


def test_a_source_that_fails_for_a_while_is_the_same_one() -> None:
    history = History(1.0)
    history.append(told_by(Source.AGENT, 0, 1000))
    history.append(replace(sample(1, 0), origins={}, memstats=Missing("unreadable")))
    history.append(told_by(Source.AGENT, 2, 1002))
    assert len(history.view().series("HeapAlloc", 60)) == 3
