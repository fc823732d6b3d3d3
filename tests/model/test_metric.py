"""What is read off a sample is what the metric's explanation says, whatever happens to clocks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from memdash.model.gc import Pause
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.sample import Instant
from tests.fakes import NOON_S, a_gc, a_sample

LONG, SHORT = 12_000_000, 100_000


def recent_ns(*ended: tuple[float, int]) -> object:
    """Of pauses, newest first, that ended so many seconds after the sample and lasted so many nanoseconds."""
    pauses = tuple(Pause(NOON_S + after_s, duration_ns) for after_s, duration_ns in ended)
    return METRICS_BY_KEY["gc.pause_recent_ns"].read(a_sample(Instant(NOON_S, 10_000.0), a_gc(pauses=pauses)))


@pytest.mark.parametrize(
    ("ended", "longest_ns"),
    [
        ([], 0),
        ([(-1, SHORT), (-9, LONG), (-11, 2 * LONG)], LONG),
        ([(0.4, LONG), (-1, SHORT)], LONG),
        ([(3600 - 60 * number, LONG) for number in range(60)], 0),
        ([(-2, SHORT), (-4, SHORT), (3, LONG), (-5, LONG)], SHORT),
        ([(-2, SHORT), (-1, LONG)], SHORT),
    ],
    ids=["none", "in time", "after the moment", "clock set back", "set back a little", "the old times come again"],
)
def test_a_recent_pause_is_one_of_the_last_ten_seconds(ended: Sequence[tuple[float, int]], longest_ns: int) -> None:
    assert recent_ns(*ended) == longest_ns


def test_the_recent_pause_is_not_known_where_nobody_times_collections() -> None:
    untimed = Missing("CPython before 3.15 does not time its collections")
    recent, at = METRICS_BY_KEY["gc.pause_recent_ns"], Instant(NOON_S, 100.0)
    assert recent.read(a_sample(at, a_gc(pauses=(), pause_total_ns=untimed))) == untimed
    assert recent.read(a_sample(at, a_gc(pauses=(), pause_total_ns=0))) == 0
