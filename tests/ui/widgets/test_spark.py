import math

from hypothesis import given
from hypothesis import strategies as st

from memdash.ui.glyphs import ASCII, UNICODE
from memdash.ui.widgets.meter import meter
from memdash.ui.widgets.spark import sparkline

NAN = math.nan


def test_a_ramp_climbs_through_all_eight_steps() -> None:
    assert sparkline(range(8), 8) == "▁▂▃▄▅▆▇█"


def test_what_never_changes_is_a_level_line() -> None:
    assert sparkline([5.0] * 6, 6) == "──────"
    assert sparkline([0.0] * 3, 3) == "───"


def test_a_heap_that_wavers_by_one_percent_looks_flat() -> None:
    drawn = sparkline([400, 401, 402, 403, 404, 403, 402, 401], 8)
    steps = [UNICODE.steps.index(step) for step in drawn]
    assert max(steps) - min(steps) <= 2


def test_gaps_are_blank_and_the_newest_stands_right() -> None:
    assert sparkline([1, NAN, NAN, 8], 4) == "▁  █"
    assert sparkline([1, 8], 6) == "    ▁█"
    assert sparkline([NAN, NAN], 3) == "   "
    assert sparkline([], 3) == "   "


def test_a_spike_survives_being_squeezed() -> None:
    values = [0.0] * 100
    values[41] = 9.0
    assert "█" in sparkline(values, 10)


def test_in_ascii() -> None:
    assert sparkline(range(8), 8, ASCII) == "_.,-=+*#"
    assert meter(0.5, 10, ASCII) == "#####"


def test_a_meter_grows_by_eighths() -> None:
    assert meter(0, 4) == ""
    assert meter(1, 4) == "████"
    assert meter(0.5, 4) == "██"
    assert meter(0.53125, 4) == "██▏"
    assert meter(0.0001, 4) == "▏"
    assert meter(7, 4) == "████"


@given(st.lists(st.floats(-1e30, 1e30) | st.just(NAN), max_size=50), st.integers(1, 40))
def test_always_exactly_as_wide_as_asked(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == width
    assert len(sparkline(values, width, ASCII)) == width
