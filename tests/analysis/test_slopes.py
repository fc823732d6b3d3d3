"""The robust line and its test, against values worked out by hand and by definition."""

from __future__ import annotations

import math
import random

import pytest

from memdash.analysis.slopes import line


def test_a_straight_line_is_found_exactly() -> None:
    fitted = line([0, 1, 2, 5, 9, 10], [3, 5, 7, 13, 21, 23])
    assert fitted is not None
    assert fitted.slope.per_s == 2
    assert fitted.start == 3
    assert fitted.at(100) == 203


def test_less_than_a_third_of_wild_values_moves_nothing() -> None:
    values = [2.0 * t for t in range(30)]
    for index in (3, 7, 11, 15, 19, 23):
        values[index] = 1e9
    fitted = line(list(range(30)), values)
    assert fitted is not None
    assert fitted.slope.per_s == pytest.approx(2, abs=0.5)


def test_mann_kendall_by_its_definition() -> None:
    """S = 13 of 15 pairs; var = n(n-1)(2n+5)/18 = 28.33 without ties (Gilbert 1987, 16.4)."""
    fitted = line([0, 1, 2, 3, 4, 5], [1, 2, 4, 3, 5, 6])
    assert fitted is not None
    assert fitted.plain_z == pytest.approx(12 / math.sqrt(6 * 5 * 17 / 18))


def test_ties_narrow_the_deviation() -> None:
    tied, plain = line(range(8), [1, 1, 2, 2, 3, 3, 4, 4]), line(range(8), [1, 2, 3, 4, 5, 6, 7, 8])
    assert tied is not None
    assert plain is not None
    variance = (8 * 7 * 21 - 4 * 2 * 1 * 9) / 18
    assert tied.plain_z == pytest.approx(23 / math.sqrt(variance))
    assert tied.plain_z < plain.plain_z


def test_nothing_moves_when_all_are_equal() -> None:
    fitted = line(range(10), [7.0] * 10)
    assert fitted is not None
    assert fitted.z == 0
    assert fitted.slope == (0, 0, 0)


def test_too_few_have_no_line_and_few_no_interval() -> None:
    assert line([0, 1], [1, 2]) is None
    fitted = line([0, 1, 2], [1, 2, 3])
    assert fitted is not None
    assert not fitted.slope.is_bounded


def test_the_interval_holds_the_true_slope_as_often_as_it_says() -> None:
    held = 0
    for seed in range(200):
        chance = random.Random(seed)
        fitted = line(range(40), [0.5 * t + chance.gauss(0, 4) for t in range(40)])
        assert fitted is not None
        held += fitted.slope.low_per_s <= 0.5 <= fitted.slope.high_per_s
    assert held >= 186  # 95 % are 190; the deviation of that is 3


def test_noise_that_lingers_is_no_trend() -> None:
    """A wander of first order looks like a trend to a plain test in a third of all cases, and not when corrected."""
    plain = corrected = 0
    for seed in range(200):
        chance, value, values = random.Random(seed), 0.0, []
        for _ in range(40):
            value = 0.6 * value + chance.gauss(0, 1)
            values.append(value)
        fitted = line(range(40), values)
        assert fitted is not None
        plain += abs(fitted.plain_z) > 1.96
        corrected += abs(fitted.z) > 1.96
    assert plain > 50
    assert corrected < 25
