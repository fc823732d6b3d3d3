import math

from hypothesis import given
from hypothesis import strategies as st

from memdash.ui.glyphs import ASCII, UNICODE, Glyphs
from memdash.ui.widgets.meter import meter, piece
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


def test_a_piece_of_a_bar_stands_at_its_place() -> None:
    assert piece(0.25, 0.75, 8) == (2, "████")
    assert piece(0.3125, 0.75, 8) == (2, "▐███")
    assert piece(0.25, 0.703125, 8) == (2, "███▋")
    assert piece(0, 0, 8) == (0, "▏")
    assert piece(0.26, 0.28, 8) == (2, "▎")
    assert piece(0.32, 0.33, 8) == (2, "▐")
    assert piece(1, 1, 8) == (7, "▐")


def test_a_piece_that_takes_away_goes_back() -> None:
    assert piece(0.75, 0.25, 8) == (2, "░░░░")
    assert piece(0.75, 0.74, 8) == (6, "░")
    assert piece(0.75, 0.25, 8, ASCII) == (2, "----")


@given(st.floats(-1, 2), st.floats(-1, 2), st.integers(1, 60), st.sampled_from([UNICODE, ASCII]))
def test_a_piece_never_leaves_its_bar(start: float, end: float, width: int, glyphs: Glyphs) -> None:
    before, drawn = piece(start, end, width, glyphs)
    assert before >= 0
    assert 1 <= len(drawn) <= width - before
