"""Points, the cuts between stretches of one course, and what a trend says of the newest one."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Mapping, Sequence

import pytest

from memdash.analysis.cuts import change_at
from memdash.analysis.points import Basis, Points, newest_points, points
from memdash.analysis.teeth import longest_tooth
from memdash.analysis.trend import trend
from memdash.model.series import Timeline
from memdash.units import MIB

Write = Callable[[Mapping[str, Sequence[float | None]]], Timeline]


def course(values: Sequence[float], every_s: float = 1.0) -> Points:
    """A point every so often."""
    times_s = array("d", (every_s * index for index in range(len(values))))
    return Points(Basis.CYCLES, times_s, array("d", values), array("d", [math.nan] * len(values)), len(values))


def test_a_point_for_each_collection(written: Write) -> None:
    seen = points(written({"NumGC": [5, 5, 6, 6, 6, 8, 8], "heap.live_bytes": [1, 1, 2, 2, 2, 3, 3]}), 60)
    assert list(seen.values) == [2, 3]
    assert [round(t) for t in seen.times_s] == [996, 999]
    assert seen.basis is Basis.CYCLES
    assert seen.cycles == 3


def test_gaps_stay_gaps(written: Write) -> None:
    numbers = [1, 2, None, None, 5, 6]
    seen = points(written({"NumGC": numbers, "heap.live_bytes": [1, 2, None, None, 5, None]}), 60)
    assert list(seen.values) == [2, 5]


def test_a_counter_that_goes_back_begins_anew(written: Write) -> None:
    seen = points(written({"NumGC": [7, 8, 9, 1, 2, 3], "heap.live_bytes": [70, 80, 90, 10, 20, 30]}), 60)
    assert list(seen.values) == [20, 30]
    assert seen.cycles == 2


def test_the_load_of_a_point_is_what_was_allocated_up_to_it(written: Write) -> None:
    history = {"NumGC": [1, 2, 2, 3], "heap.live_bytes": [1] * 4, "TotalAlloc": [0, 100, 200, 500]}
    assert list(points(written(history), 60).loads) == [100, 200]


def test_few_full_collections_leave_it_to_the_floor(written: Write) -> None:
    few = points(written({"gc.full_collections": [1] * 20, "heap.live_bytes": range(20)}), 60)
    many = points(written({"gc.full_collections": range(20), "heap.live_bytes": range(20)}), 60)
    assert (few.basis, many.basis) == (Basis.FLOOR, Basis.FULL)
    assert (len(few), len(many)) == (20, 19)


def test_without_a_heap_it_is_what_is_resident_or_swapped(written: Write) -> None:
    seen = points(written({"system.rss_bytes": [5, 4, None, 3], "system.swap_bytes": [0, 1, 1, None]}), 60)
    assert seen.basis is Basis.RESIDENT
    assert list(seen.values) == [5, 5, 3]


def test_points_are_looked_for_further_back_when_they_are_few(written: Write) -> None:
    history = written({"NumGC": [i // 50 for i in range(600)], "heap.live_bytes": [1.0] * 600})
    assert len(points(history, 120)) == 2
    span_s, found = newest_points(history, (120, 480, 1920), 8)
    assert (span_s, len(found) >= 8) == (480, True)
    assert newest_points(history, (120, 240), 8)[0] == 240  # there is no longer one
    assert newest_points(history, (120, 480, 1920), 100)[0] == 1920  # that is all there is


def test_one_course_is_not_cut() -> None:
    chance = random.Random(1)
    for slope in (0, 1):
        values = [slope * i + chance.gauss(0, 3) for i in range(64)]
        assert change_at(range(64), values) is None


@pytest.mark.parametrize(
    "shape",
    [
        lambda i: min(i, 40) * 10,  # it fills
        lambda i: max(i - 40, 0) * 10,  # it begins to grow
        lambda i: 0 if i < 40 else 400,  # it jumps
        lambda i: i * 10 if i < 40 else (i - 40) * 10,  # it falls back
    ],
)
def test_a_course_that_changes_is_cut_there(shape: Callable[[int], float]) -> None:
    chance = random.Random(1)
    at = change_at(range(64), [shape(i) + chance.gauss(0, 3) for i in range(64)])
    assert at is not None
    assert abs(at - 40) <= 2


def test_the_newest_stretch_is_what_counts() -> None:
    found = trend(course([100 * MIB + min(i, 100) * MIB for i in range(300)]))
    assert found is not None
    assert found.window_s == pytest.approx(200, abs=6)
    assert found.growth_bytes == 0
    assert found.earlier is not None
    assert found.earlier.slope_per_s == MIB


def test_growth_that_goes_on_at_another_pace_is_one_stretch() -> None:
    found = trend(course([i * MIB if i < 150 else (150 + 1.5 * (i - 150)) * MIB for i in range(300)]))
    assert found is not None
    assert found.window_s == 299
    assert found.earlier is None


def test_what_comes_and_goes_is_left_out() -> None:
    """Batches of 50 MiB over a heap that grows by 6 MiB a minute."""
    values = [100 * MIB + i * MIB / 10 + (50 * MIB if i % 30 < 12 else 0) for i in range(300)]
    found = trend(course(values))
    assert found is not None
    assert found.line.slope.per_s == pytest.approx(MIB / 10, rel=0.1)
    assert found.fall_bytes < found.growth_bytes / 5


def test_how_it_bends() -> None:
    saturating = trend(course([100 * MIB * (1 - math.exp(-i / 200)) for i in range(200)]))
    straight = trend(course([i * MIB for i in range(200)]))
    assert saturating is not None
    assert straight is not None
    assert saturating.bend == pytest.approx(math.exp(-0.5), abs=0.05)
    assert saturating.bends
    assert straight.bend == pytest.approx(1)


def test_jumps_have_a_large_part_in_what_grows_by_jumps_alone() -> None:
    jumping = trend(course([10 * MIB * ((i >= 5) + (i >= 10)) for i in range(20)]))
    steady = trend(course([i * MIB for i in range(20)]))
    assert jumping is not None
    assert steady is not None
    assert (jumping.earlier, jumping.growth_bytes > 10 * MIB) == (None, True)  # all of it is looked at
    assert jumping.jumps == 1
    assert steady.jumps < 0.4


def test_what_has_not_grown_since_its_last_jump_does_not_grow() -> None:
    found = trend(course([10 * MIB * ((i >= 100) + (i >= 200)) for i in range(300)]))
    assert found is not None
    assert (found.window_s < 100, found.growth_bytes) == (True, 0)


def test_a_load_that_rises() -> None:
    rising = course([i * MIB for i in range(300)])
    busier = Points(rising.basis, rising.times_s, rising.values, array("d", range(100, 400)), rising.cycles)
    found = trend(busier)
    assert found is not None
    assert found.load_growth == pytest.approx(1.33, abs=0.1)


def test_few_points_have_no_trend() -> None:
    assert trend(course([1, 2, 3, 4])) is None
    assert trend(course([])) is None


def test_the_longest_tooth() -> None:
    teeth = [(i % 50) * MIB for i in range(120)] + [float(i * MIB) for i in range(100)]
    tooth = longest_tooth(course([100 * MIB + value for value in teeth]))
    assert tooth is not None
    assert tooth.seconds == pytest.approx(50, abs=6)
    assert tooth.bytes == pytest.approx(50 * MIB, rel=0.15)
    assert longest_tooth(course([float(i) for i in range(200)])) is None


def test_a_tooth_on_the_back_of_a_rise_that_stays() -> None:
    """A program that fills what it keeps for good at first, and goes up and down after that."""
    saws = [13 * MIB * min(second / 100, 1) + 5 * MIB * (second % 200) / 200 * (second > 100) for second in range(900)]
    tooth = longest_tooth(course([100 * MIB + value for value in saws]))
    assert tooth is not None
    assert tooth.bytes == pytest.approx(5 * MIB, rel=0.2)
    assert 150 <= tooth.seconds <= 250


def test_a_line_under_white_noise_is_sure_by_its_points() -> None:
    """Floors of a few blocks say little of it: each holds the lowest of what is mostly noise."""
    chance = random.Random(3)
    seen = course([100 * MIB + second * 20_000 + chance.gauss(0, MIB) for second in range(300)])
    found = trend(seen)
    assert found is not None
    assert found.fine.z > 4
    assert found.fine.plain_z < 1.36 * found.fine.z
    assert found.growth_bytes == pytest.approx(300 * 20_000, rel=0.3)
