"""A chart's columns lose no spike and bridge no gap."""

from __future__ import annotations

import math
from array import array

from hypothesis import given
from hypothesis import strategies as st

from memdash.analysis.resample import beside, columns
from memdash.model.series import Series


def series(values: list[tuple[float, float]], spacing_s: float = 1.0) -> Series:
    times = array("d", (t for t, _ in values))
    column = array("d", (v for _, v in values))
    return Series(times, times, column, column, column, spacing_s)


def test_many_buckets_share_a_column() -> None:
    cut = columns(series([(float(t), float(t % 10)) for t in range(100)]), 100.0, 100.0, 10)
    assert [(c.low, c.high, c.last) for c in cut] == [(0, 9, 9)] * 10


def test_a_bucket_wider_than_a_column_fills_up_to_the_next() -> None:
    cut = columns(series([(0.0, 1.0), (1.0, 2.0)]), 2.0, 2.0, 8)
    assert [c.last for c in cut] == [1, 1, 1, 1, 2, 2, 2, 2]


def test_a_gap_stays_empty() -> None:
    cut = columns(series([(0.0, 1.0), (7.0, 2.0)]), 8.0, 8.0, 8)
    assert [math.isnan(c.last) for c in cut] == [False, True, True, True, True, True, True, False]


def test_the_newest_sample_is_in_the_last_column() -> None:
    cut = columns(series([(t, 5.0) for t in range(8)] + [(8.0, 9.0)]), 8.0, 8.0, 4)
    assert (cut[-1].low, cut[-1].high, cut[-1].last) == (5, 9, 9)


def test_nothing_to_draw() -> None:
    assert columns(series([]), 10.0, 10.0, 0) == []
    assert all(math.isnan(c.last) for c in columns(series([]), 10.0, 10.0, 3))


@given(
    st.lists(st.floats(0, 299.99), min_size=1, max_size=80, unique=True),
    st.integers(1, 200),
    st.integers(0, 79),
)
def test_a_spike_is_never_lost(times: list[float], width: int, where: int) -> None:
    times.sort()
    spike = where % len(times)
    cut = columns(series([(t, 1e9 if i == spike else 1.0) for i, t in enumerate(times)]), 300.0, 300.0, width)
    assert max(c.high for c in cut if not math.isnan(c.high)) == 1e9


def test_what_began_just_before_the_first_column_does_not_stand_in_the_last() -> None:
    cut = columns(series([(0.5, 7.0), (1.5, 3.0)]), 11.0, 10.0, 10)
    assert (cut[0].low, cut[0].last) == (3, 3)
    assert math.isnan(cut[-1].last)
    for column in cut:
        assert math.isnan(column.last) == math.isnan(column.low) == math.isnan(column.high)


def test_a_series_with_other_times_is_put_beside_by_these() -> None:
    one = Series([1.0, 2.0, 3.0], [1.5, 2.5, 3.5], [], [], [], 1.0)
    other = Series([2.0], [2.5], [7.0], [9.0], [8.0], 1.0)
    assert repr(beside(one, other, other.last)) == "[nan, 8.0, nan]"
    assert list(beside(one, one, [1.0, 2.0, 3.0])) == [1.0, 2.0, 3.0]
    assert repr(beside(one, Series((), (), (), (), (), 1.0), ())) == "[nan, nan, nan]"
