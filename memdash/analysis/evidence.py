"""What a check tells of a budget that is broken: what has grown, and when it hits a limit, a line each."""

from __future__ import annotations

from collections.abc import Sequence

from memdash.analysis.arrivals import Arrival
from memdash.analysis.forecast import forecast
from memdash.analysis.growth import rates
from memdash.analysis.sites import rate_of
from memdash.model.finding import NotYet
from memdash.model.missing import Missing
from memdash.model.profile import sampling_error
from memdash.model.snapshot import SiteGroup, Snapshot
from memdash.units import Unit, byte_size, count, estimate, signed, time_range

__all__ = ["ahead_words", "arrived", "grown"]

_MOST_ROWS = 5


def ahead_words(shown: Snapshot) -> tuple[str, ...]:
    """When the nearest limit is reached if it goes on like that; nothing where growth is not sure, or has no limit."""
    found = rates(shown.history)
    if isinstance(found, NotYet):
        return ()
    sure = [rate for rate in found if rate.is_sure]
    if not sure:
        return ()
    steepest = max(sure, key=lambda rate: rate.slope.per_s)
    ahead = forecast(steepest.slope, steepest.level_bytes, shown.sample)
    if ahead is None:
        return ()
    within = time_range(ahead.soonest_s, ahead.latest_s)
    return (f"{byte_size(ahead.limit_bytes)} {ahead.limit} in {within} if it goes on like that",)


def arrived(arrivals: Sequence[Arrival]) -> tuple[str, ...]:
    """The tasks that came and stayed, by who began them."""
    return tuple(map(_arrival, arrivals[:_MOST_ROWS]))


def _arrival(arrival: Arrival) -> str:
    origin, frame = arrival.origin, arrival.origin.frame
    number = f"{signed(arrival.number, Unit.COUNT)} {origin.kind.words(arrival.number)}"
    return (
        f"{number} {'by' if origin.is_creator else 'in'} {frame.function} {frame.where(parts=2)}, at most "
        f"{count(arrival.before)} at first, never fewer than {count(arrival.now)} at last"
    )


def grown(shown: Snapshot) -> tuple[str, ...]:
    """The allocation sites that grew most since the warm-up; where there are none, the types of object, and why."""
    if not isinstance(shown.groups, Missing):
        rate_bytes = rate_of(shown)
        sites = sorted(shown.groups, key=lambda group: -group.change.inuse_bytes)
        return tuple(_site(site, rate_bytes) for site in sites[:_MOST_ROWS] if site.change.inuse_bytes > 0)
    unknown = f"which sites grew is not known: {shown.groups.why}"
    if isinstance(shown.objects, Missing):
        return (unknown,)
    types = sorted(shown.objects, key=lambda group: -group.change.held_bytes)
    grew = (
        f"{signed(kind.change.held_bytes, Unit.BYTES)} {signed(kind.change.objects, Unit.COUNT)} objects of type "
        f"{kind.now.name}"
        for kind in types[:_MOST_ROWS]
        if kind.change.held_bytes > 0
    )
    return (*grew, unknown)


def _site(site: SiteGroup, rate_bytes: int) -> str:
    usage, frame = site.usage, site.frame
    held = estimate(usage.inuse_bytes, sampling_error(usage.inuse_bytes, usage.inuse_objects, rate_bytes))
    return f"{signed(site.change.inuse_bytes, Unit.BYTES)} {frame.function} {frame.where(parts=2)}, {held} now"
