"""Since when changes count: what every surface says of it."""

from __future__ import annotations

from dataclasses import replace

from memdash.model.capability import Capability
from memdash.model.sample import Instant
from memdash.model.snapshot import Baseline
from memdash.tables.since import since_words
from memdash.units import clock_time
from tests.fakes import NOON_S, a_snapshot


def test_it_is_the_reading_that_changes_count_from_and_not_the_mark() -> None:
    """Who marks before the first profile has changes counted from that profile."""
    read = Instant(NOON_S + 5, 10_005.0)
    marked = replace(a_snapshot(5), baseline=Baseline(Instant(NOON_S, 10_000.0), True), since={Capability.SITES: read})
    at = clock_time(read.wall_s)
    assert since_words(marked, Capability.SITES) == f"since the baseline at {at}"
    assert since_words(marked, Capability.SITES, short=True) == f"Δ since baseline {at}"
    attached = replace(marked, baseline=replace(marked.baseline, marked=False))
    assert since_words(attached, Capability.SITES) == f"since the attach at {at}"
    assert not since_words(marked, Capability.TASKS)
