"""What a row held over the watch."""

from __future__ import annotations

import math

from memdash.model.capability import Capability
from memdash.model.sample import Instant
from memdash.model.series import Series
from memdash.tables.row_course import Course, course_of
from memdash.units import Unit
from tests.fakes import NOON_S, a_snapshot


def course(*values: float) -> Course:
    times_s = tuple(60.0 * number for number in range(len(values)))
    until_s = 60.0 * len(values)
    return Course(Series(times_s, times_s, values, values, values, 60.0), Instant(NOON_S, until_s), Unit.COUNT)


def test_it_begins_with_the_first_reading_that_knows_the_row() -> None:
    shown = course(math.nan, 7.0, math.nan, 3.0, 5.0)
    assert shown.span_s == 240.0
    assert shown.why_empty == ""
    assert shown.bounds == "3 to 7 in 4m"


def test_one_reading_makes_no_course() -> None:
    assert course(math.nan, 7.0).why_empty == "it has been read once so far"
    assert course(math.nan, 7.0).bounds == ""


def test_a_row_that_nothing_followed_has_none() -> None:
    shown = course_of(a_snapshot(5), Capability.SITES, "nothing of the kind", Unit.BYTES)
    assert "only the largest are followed" in shown.why_empty
    assert (shown.span_s, shown.bounds) == (0.0, "")
