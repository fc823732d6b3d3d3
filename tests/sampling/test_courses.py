"""What rows held over the whole watch: coarser the longer it is, no peak lost, no later reading in an older view."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from memdash.model.sample import Instant
from memdash.sampling.courses import CourseKeeper


def at(second: float) -> Instant:
    return Instant(1_700_000_000.0 + second, second)


def kept(keeper: CourseKeeper, key: str = "a") -> list[tuple[float, float]]:
    return keeper.view().of(key).known


def test_each_reading_is_kept_while_they_are_few() -> None:
    keeper = CourseKeeper()
    for second in range(100):
        keeper.add(at(second), {"a": 10 * second})
    assert kept(keeper) == [(second, 10.0 * second) for second in range(100)]


@pytest.mark.parametrize("seconds", [500, 5000, 86_400])
def test_hours_are_remembered_in_few_buckets_and_no_peak_is_lost(seconds: int) -> None:
    keeper = CourseKeeper(length=64)
    for second in range(0, seconds, 7):
        keeper.add(at(second), {"a": 99 if second == 140 else 5 + second % 2})
    series = keeper.view().of("a")
    assert 32 <= len(series) <= 65
    assert max(series.high) == 99
    assert min(series.low) == 5
    assert series.times_s[0] == 0
    assert all(b - a <= 2 * series.spacing_s for a, b in pairwise(series.seen_s))  # no gap where there was none


def test_a_view_does_not_change_with_later_readings() -> None:
    keeper = CourseKeeper(length=16)
    for second in range(20):
        keeper.add(at(second), {"a": second})
    view = keeper.view()
    before = view.of("a")
    for second in range(20, 21):
        keeper.add(at(second), {"a": 1000})
    assert view.of("a") == before
    for second in range(21, 500):
        keeper.add(at(second), {"a": 1000})
    after = view.of("a")
    assert max(after.high) <= 19
    assert max(after.seen_s) <= 19


def test_a_row_is_known_from_when_it_was_first_seen() -> None:
    keeper = CourseKeeper(length=8)
    for second in range(30):
        keeper.add(at(second), {"old": 1} | ({"new": 7} if second >= 20 else {}))
    series = keeper.view().of("new")
    assert math.isnan(series.last[0])
    assert set(series.known) == {(seen_s, 7.0) for seen_s in series.seen_s if seen_s >= 20}


def test_what_is_gone_holds_nothing() -> None:
    keeper = CourseKeeper()
    keeper.add(at(0), {"a": 5})
    keeper.add(at(1), {"b": 5})
    assert kept(keeper) == [(0, 5), (1, 0)]


def test_only_the_largest_are_followed() -> None:
    keeper = CourseKeeper(most=3, length=10)
    for second in range(50):
        keeper.add(at(second), {f"row {second}-{number}": number for number in range(10)} | {"large": 100})
    assert len(kept(keeper, "large")) >= 5
    assert kept(keeper, "row 49-1") == []
    rows = [f"row {second}-{number}" for second in range(50) for number in range(10)]
    assert len([row for row in rows if kept(keeper, row)]) <= 6 + 3 - 1


def test_nothing_is_followed_before_the_first_reading() -> None:
    assert kept(CourseKeeper()) == []
