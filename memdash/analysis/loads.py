"""What lives at like load: what is in use while requests are served grows with them, and goes back with them."""

from __future__ import annotations

from array import array
from dataclasses import replace
from itertools import pairwise

from memdash.analysis.points import Points
from memdash.median import median

__all__ = ["at_like_load"]

_FEWEST = 12
_EXPLAINED = 0.5
"""The share of the ups and downs from one point to the next that the load must explain, for it to be told apart."""


def at_like_load(points: Points) -> Points:
    """The points as they would be had the load been its median all the time; as they are where it explains little.

    What a unit of load holds is told by the differences of neighbours: growth, which is slow, has no part in them.
    """
    steps = [
        (value - value_before, load - load_before)
        for (value_before, load_before), (value, load) in pairwise(zip(points.values, points.loads, strict=True))
        if load == load and load_before == load_before  # NaN is unlike itself
    ]
    along, across = sum(dv * dl for dv, dl in steps), sum(dl * dl for _, dl in steps)
    if len(steps) < _FEWEST or along <= 0:
        return points
    per_load = along / across
    if per_load * along < _EXPLAINED * sum(dv * dv for dv, _ in steps):
        return points
    usual = median(load for load in points.loads if load == load)
    values = array(
        "d",
        (
            value - per_load * (load - usual) if load == load else value
            for value, load in zip(points.values, points.loads, strict=True)
        ),
    )
    return replace(points, values=values, is_at_like_load=True)
