"""When growth hits a wall: the nearest of the limits that a process lives under."""

from __future__ import annotations

from collections.abc import Iterator

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
    """Name, size, what is left of it, and by how much the process grows for each byte that lives."""
    gc, system, stats = sample.gc, sample.system, sample.memstats
    if not isinstance(gc, Missing) and not isinstance(gc.memory_limit_bytes, Missing):
        beside = 0
        if not isinstance(stats, Missing):
            beside = max(known(stats.Sys, 0) - known(stats.HeapSys, 0), 0)
        yield "GOMEMLIMIT", gc.memory_limit_bytes, gc.memory_limit_bytes - level_bytes - beside, 1.0
    if isinstance(system, Missing):
        return
    per_live = min(max(known(system.rss_bytes, 0) / max(level_bytes, 1.0), 1.0), _MOST_PER_LIVE)
    cgroup = system.cgroup
    if not isinstance(cgroup, Missing):
        limit, used = cgroup.limit_bytes, cgroup.used_bytes
        if not isinstance(limit, Missing) and not isinstance(used, Missing):
            yield "cgroup limit", limit, limit - used, per_live
    limit, mapped = system.address_space_limit_bytes, system.vms_bytes
    if not isinstance(limit, Missing) and not isinstance(mapped, Missing):
        yield "RLIMIT_AS", limit, limit - mapped, per_live
    total, available = system.host_total_bytes, system.host_available_bytes
    if not isinstance(total, Missing) and not isinstance(available, Missing):
        yield "host memory", total, available, per_live
