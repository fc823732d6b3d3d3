"""A watch of days holds no more than one of a day: a leak of memdash's own would be found here."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from memdash.model.series import TIERS
from memdash.sampling import history
from tests.week import DAY_S, LongWatch

pytestmark = pytest.mark.matrix

_MOST = 1 << 19
"""In two days, most of it the alert log on its way to its 500 entries. Sites that were kept would be 0.7 MiB a day."""


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("traced")
def test_memory_stands_still_once_everything_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample in 20 minutes, and a twentieth of the history's buckets, which are full on the third day then."""
    tiers = tuple((step_s, most // 20) for step_s, most in TIERS)
    monkeypatch.setattr(history, "TIERS", tiers)
    watch = LongWatch(1200)
    held = []
    for _ in range(5):
        watch.go_on(DAY_S)
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    recorded = watch.recorded_bytes
    watch.close()
    assert held[4] - held[2] < _MOST, held
    assert recorded < 64 << 20
