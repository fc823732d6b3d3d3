"""Counters and gauges are told apart, and no rate is made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from memdash.analysis.rates import change_per_s
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.series import Timeline

Write = Callable[[Mapping[str, Sequence[float | None]]], Timeline]
HEAP, MALLOCS = METRICS_BY_KEY["HeapAlloc"], METRICS_BY_KEY["Mallocs"]


def test_change_over_the_span(written: Write) -> None:
    assert change_per_s(HEAP, written({"HeapAlloc": [0, 0, 0, *range(0, 1100, 100)]})) == pytest.approx(100)


def test_a_gauge_may_fall(written: Write) -> None:
    assert change_per_s(HEAP, written({"HeapAlloc": [300, 200, 100]})) == pytest.approx(-100)


def test_a_counter_that_went_back_has_no_rate(written: Write) -> None:
    assert isinstance(change_per_s(MALLOCS, written({"Mallocs": [300, 200, 100]})), Missing)


def test_gaps_are_stepped_over_but_not_at_the_end(written: Write) -> None:
    assert change_per_s(HEAP, written({"HeapAlloc": [0, None, None, 300]})) == pytest.approx(100)
    assert isinstance(change_per_s(HEAP, written({"HeapAlloc": [0, 100, None]})), Missing)


@pytest.mark.parametrize("values", [[], [1], [None, None, 5]])
def test_one_value_is_not_enough(written: Write, values: list[float | None]) -> None:
    assert isinstance(change_per_s(HEAP, written({"HeapAlloc": values, "Sys": [1]})), Missing)
