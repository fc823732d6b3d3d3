"""The series that points are made of belong together, whatever was read from where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from memdash.analysis.points import outside, points
from memdash.model.capability import Capability, Source
from memdash.model.gc import Generation
from memdash.model.sample import Instant, Origin
from memdash.sampling.history import History
from tests.fakes import NOON_S, a_gc, a_sample


@pytest.mark.parametrize("changed", [Capability.MEMSTATS, Capability.GC, Capability.SYSTEM])
def test_one_source_that_changes_within_a_bucket_leaves_none_behind(changed: Capability) -> None:
    """As when an agent comes to a watch that looks several times a second."""
    history = History(0.25)
    for number in range(14):
        at = Instant(NOON_S + number / 4, 5000.0 + number / 4)
        full = Generation(name="2", collections=number, collected=0, uncollectable=0, count=0, threshold=10)
        sample = a_sample(at, a_gc(generations=(full,)))
        source = Source.AGENT if number >= 10 else Source.MEMORY
        history.append(replace(sample, origins={**sample.origins, changed: Origin(source, at)}))
        points(history.view(), 900.0)
        outside(history.view(), 900.0)
    assert 1 <= len(points(history.view(), 900.0)) <= 4
