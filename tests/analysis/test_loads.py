"""Growth at like load: what comes and goes with the load is told apart from what stays."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from memdash.analysis.loads import at_like_load
from memdash.analysis.points import Basis, Points
from memdash.analysis.trend import trend
from memdash.analysis.verdict import ruling
from memdash.model.verdict import VerdictKind
from memdash.units import MIB


def course(live_mib: Callable[[float, float], float], load: Callable[[float], float], number: int = 120) -> Points:
    """A point each three seconds; what lives depends on the time and on the load."""
    times_s = [3.0 * index for index in range(number)]
    loads = [load(time_s) for time_s in times_s]
    values = [live_mib(t, at) * MIB for t, at in zip(times_s, loads, strict=True)]
    return Points(Basis.CYCLES, times_s, values, loads, number)


def bursts(time_s: float) -> float:
    return 2.0 if time_s % 60 < 24 else 0.2


def test_a_leak_under_changing_load_is_a_line_at_like_load() -> None:
    chance = random.Random(7)
    seen = course(lambda t, load: 100 + t / 60 + 20 * load + t % 7 / 20, lambda _: chance.uniform(0.2, 2))
    assert ruling(trend(seen)).kind is not VerdictKind.LEAK
    alike = at_like_load(seen)
    assert alike.is_at_like_load
    assert alike.words == "live heap after each GC at like load"
    found = trend(alike)
    assert found is not None
    assert found.line.slope.per_s == pytest.approx(MIB / 60, rel=0.25)
    assert ruling(found).kind is VerdictKind.LEAK


def test_a_load_that_rises_is_no_growth_of_its_own() -> None:
    chance = random.Random(7)
    seen = course(lambda _, load: 100 + 20 * load, lambda t: 1 + t / 360 + chance.uniform(-0.3, 0.3))
    found = trend(at_like_load(seen))
    assert found is not None
    assert found.growth_bytes < MIB


def test_what_the_load_does_not_explain_stays_as_it_is() -> None:
    chance = random.Random(7)
    seen = course(lambda t, _: 100 + t / 60 + chance.uniform(0, 5), bursts)
    assert at_like_load(seen) is seen
    unknown = course(lambda t, _: 100 + t / 60, lambda _: math.nan)
    assert at_like_load(unknown) is unknown
    few = course(lambda _, load: 100 + load, bursts, number=8)
    assert at_like_load(few) is few
