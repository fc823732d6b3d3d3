"""How far axes reach, and what is written beside them."""

from __future__ import annotations

import pytest

from memdash.tables.axis import padded, round_values, step_of, time_ticks


def test_a_range_gets_room_above_and_below_but_not_below_nothing() -> None:
    assert padded(100.0, 200.0) == (94.0, 206.0)
    assert padded(1.0, 200.0)[0] == 0.0


@pytest.mark.parametrize("value", [0.0, 1e9])
def test_a_level_line_has_a_range_too(value: float) -> None:
    low, high = padded(value, value)
    assert low <= value < high
    assert round_values(low, high, 4, 1024.0)


def test_times_are_round_and_as_many_as_there_is_room_for() -> None:
    assert step_of(240.0, 60) == 60.0
    assert time_ticks(240.0, 60.0, 121) == [(0, "-4m"), (30, "-3m"), (60, "-2m"), (90, "-1m"), (120, "now")]
    assert step_of(240.0, 10) == 300.0
    assert time_ticks(240.0, 300.0, 121) == [(120, "now")]


def test_a_chart_without_room_or_time_has_none() -> None:
    assert time_ticks(240.0, 60.0, 1) == time_ticks(0.0, 60.0, 121) == []
