"""A metric that nobody measures is not 0."""

from __future__ import annotations

from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.sample import Instant
from tests.fakes import NOON_S, a_gc, a_sample


def test_the_recent_pause_is_not_known_where_nobody_times_collections() -> None:
    untimed = Missing("CPython before 3.15 does not time its collections")
    recent, at = METRICS_BY_KEY["gc.pause_recent_ns"], Instant(NOON_S, 100.0)
    assert recent.read(a_sample(at, a_gc(pauses=(), pause_total_ns=untimed))) == untimed
    assert recent.read(a_sample(at, a_gc(pauses=(), pause_total_ns=0))) == 0
