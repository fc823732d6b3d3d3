"""When growth hits a wall: the nearest of the limits that a process lives under."""

from __future__ import annotations

from collections.abc import Iterator

from memdash.analysis.ceilings import GOMEMLIMIT, ceilings, host_memory
from memdash.model.missing import Missing, known
from memdash.model.sample import Sample
from memdash.model.verdict import Forecast, Slope

__all__ = ["forecast"]

_MOST_PER_LIVE = 3.0
"""A collector lets the heap grow in proportion to what lives; what is resident beyond three times that is not heap."""


def forecast(slope: Slope, level_bytes: float, sample: Sample) -> Forecast | None:
    """The limit that is reached first when the live heap, ``level_bytes`` now, goes on to grow so.

    At the soonest at the fast end of the interval, with what is resident growing in the same proportion; at the latest
    at the slow end, with what is resident growing by no more than what lives. None where there is no limit, and where
    the interval holds no growth: nothing is claimed then.
    """
    if not slope.is_bounded or slope.low_per_s <= 0:
        return None
    found = [
        Forecast(name, limit_bytes, max(room, 0.0) / (slope.high_per_s * per_live), max(room, 0.0) / slope.low_per_s)
        for name, limit_bytes, room, per_live in _limits(level_bytes, sample)
    ]
    return min(found, key=lambda ahead: ahead.soonest_s, default=None)


def _limits(level_bytes: float, sample: Sample) -> Iterator[tuple[str, int, float, float]]:
    """Name, size, what is left of it, and by how much the process grows for each byte that lives.

    GOMEMLIMIT is a wall only to what lives, with what is beside the heap: a collection makes room of all else.
    """
    system, stats = sample.system, sample.memstats
    rss_bytes = 0 if isinstance(system, Missing) else known(system.rss_bytes, 0)
    per_live = min(max(rss_bytes / max(level_bytes, 1.0), 1.0), _MOST_PER_LIVE)
    for ceiling in (*ceilings(sample), *host_memory(sample)):
        if isinstance(ceiling, Missing):
            continue
        if ceiling.name != GOMEMLIMIT:
            name = ceiling.name.removeprefix("the ")  # its size stands before it
            yield name, ceiling.limit_bytes, ceiling.limit_bytes - ceiling.used_bytes, per_live
        elif not isinstance(stats, Missing):
            beside_bytes = max(known(stats.Sys, 0) - known(stats.HeapSys, 0), 0)
            yield GOMEMLIMIT, ceiling.limit_bytes, ceiling.limit_bytes - level_bytes - beside_bytes, 1.0
