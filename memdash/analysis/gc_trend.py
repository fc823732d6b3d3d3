"""The course of the collector: how often it runs, how long it stops the program, what share of the CPU it takes.

And that of what is allocated, which is what it runs for. The counters are read at the edges of spans of equal length,
and a line goes through what each span saw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from memdash.analysis.resample import beside
from memdash.analysis.slopes import line
from memdash.model.gc_trend import Course, GcTrend, Tendency
from memdash.model.missing import Maybe, Missing
from memdash.model.series import HORIZONS_S, Timeline, watched_s

__all__ = ["NO_START", "gc_trend"]

NO_START = Missing("a server that is asked by its URL does not tell when it began")

_LEAST_S = 60.0
_SPANS, _FEWEST = 20, 8
_SURE_Z, _TELLING_SHARE = 3.0, 0.2
_COUNTERS = ("NumGC", "PauseTotalNs", "TotalAlloc", "GCCPUFraction")

_TOO_SOON = Missing("it takes a minute to see which way it goes")
_TOO_RARE = Missing("there have been too few collections to see which way it goes")
_NOT_COUNTED = Missing("it is not counted")


class _Seen(NamedTuple):
    """The counters at one moment; NaN where one is not known."""

    time_s: float
    collections: float
    paused_ns: float
    allocated_bytes: float
    gc_seconds: float


_Figure = Callable[[_Seen, _Seen], float]


def gc_trend(history: Timeline, began_s: Maybe[float]) -> GcTrend:
    """That of the last quarter of an hour, 1.5 ms for so much; ``began_s`` is when the program did, on its clock.

    What came before a counter went back is left out: it was another program's, or has been reset.
    """
    seen, after = _seen(history, 0.0 if isinstance(began_s, Missing) else began_s)
    return GcTrend(
        collections_per_s=_tendency(seen, lambda a, b: (b.collections - a.collections) / (b.time_s - a.time_s)),
        pause_ns=_tendency(after, lambda a, b: (b.paused_ns - a.paused_ns) / (b.collections - a.collections)),
        cpu_ratio=began_s
        if isinstance(began_s, Missing)
        else _tendency(after, lambda a, b: (b.gc_seconds - a.gc_seconds) / (b.time_s - a.time_s)),
        allocated_bytes_per_s=_tendency(
            seen, lambda a, b: (b.allocated_bytes - a.allocated_bytes) / (b.time_s - a.time_s)
        ),
    )


def _seen(history: Timeline, began_s: float) -> tuple[Sequence[_Seen], Sequence[_Seen]]:
    """What has been seen since a counter went back last, and of that what was new after a collection.

    A program has as many CPU seconds for its collector as a share of its life says: it is told after each collection.
    """
    seen: list[_Seen] = []
    after: list[_Seen] = []
    for horizon_s in HORIZONS_S:
        seen, after = [], []
        series = [history.series(key, horizon_s) for key in _COUNTERS]
        columns = (beside(series[0], one, one.last) for one in series)
        for time_s, collections, paused_ns, allocated, share in zip(series[0].seen_s, *columns, strict=True):
            if collections != collections or (seen and time_s <= seen[-1].time_s):  # NaN is unlike itself
                continue
            row = _Seen(time_s, collections, paused_ns, allocated, share * (time_s - began_s))
            if seen and (collections < seen[-1].collections or allocated < seen[-1].allocated_bytes):
                seen, after = [], []
            if seen and collections > seen[-1].collections:
                after.append(row)
            seen.append(row)
        if len(after) > _FEWEST or horizon_s >= watched_s(history):
            break
    return seen, after


def _tendency(seen: Sequence[_Seen], figure: _Figure) -> Maybe[Tendency]:
    """Where the line through the figure of each span begins and ends."""
    if not seen or seen[-1].time_s - seen[0].time_s < _LEAST_S:
        return _TOO_SOON
    edges = _edges(seen)
    spans = [((a.time_s + b.time_s) / 2, figure(a, b)) for a, b in pairwise(edges)]
    known = [(time_s - spans[0][0], value) for time_s, value in spans if value == value]
    if not known:
        return _NOT_COUNTED
    fitted = line(*zip(*known, strict=True)) if len(known) >= _FEWEST else None
    if fitted is None:
        return _TOO_RARE
    before, now = (max(fitted.at(known[index][0]), 0.0) for index in (0, -1))
    course = Course.STEADY
    if abs(fitted.z) >= _SURE_Z and abs(now - before) > _TELLING_SHARE * max(before, now):
        course = Course.RISES if fitted.z > 0 else Course.FALLS
    return Tendency(before, now, edges[-1].time_s - edges[0].time_s, course)


def _edges(seen: Sequence[_Seen]) -> Sequence[_Seen]:
    """The first of each of some spans of equal length, and the very last."""
    begin_s, step_s = seen[0].time_s, (seen[-1].time_s - seen[0].time_s) / _SPANS
    edges = [seen[0]]
    for one in seen[1:-1]:
        if one.time_s >= begin_s + step_s * len(edges):
            edges.append(one)
    return (*edges, seen[-1])
