"""What a watch holds after each day of a week that never was.

A sample a minute instead of one a second, so that it is over within some minutes: the tiers of the history keep so many
buckets whatever lies between them, and the recording prunes by age. By the fourth day all of them are full.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

from tests.benchmarks.result import Result
from tests.benchmarks.terminal import rss_bytes
from tests.week import DAY_S, LongWatch

__all__ = ["week"]

_STEP_S, _DAYS, _FULL = 60, 7, 4
_MOST_MIB = 2.0


def week() -> Iterator[Result]:
    """Resident memory after each day, and that it stands still once everything is full."""
    watch, held = LongWatch(_STEP_S), list[float]()
    for day in range(1, _DAYS + 1):
        watch.go_on(DAY_S)
        gc.collect()
        held.append(rss_bytes(os.getpid()) / 2**20)
        recorded = watch.recorded_bytes / 2**20
        yield Result(f"a watch of {day} days", f"{held[-1]:.1f} MiB, {recorded:.1f} MiB recorded", "", None)
    watch.close()
    grown = held[-1] - held[_FULL - 1]
    yield Result(f"growth from day {_FULL} to day {_DAYS}", f"{grown:+.1f} MiB", "≤ 2 MiB", grown <= _MOST_MIB)
