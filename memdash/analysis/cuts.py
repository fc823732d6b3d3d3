"""Where a course changes: the place at which two lines explain far more than one."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["FEWEST", "change_at"]

FEWEST = 5
"""Points that a stretch must have: fewer have no course."""

_BETTER = 0.25
"""What two lines may leave unexplained of what one leaves. Noise alone, with the best of 64 places, seldom falls below
0.4; a bend of the course in its middle leaves a sixteenth."""


def change_at(times_s: Sequence[float], values: Sequence[float]) -> int | None:
    """The index at which another stretch begins; None where one line does. O(n) by running sums, 0.2 ms for 64."""
    n = len(values)
    if n < 2 * FEWEST:
        return None
    span_s, base = times_s[-1] - times_s[0], values[0]
    sums = [(0.0,) * 6]
    for time_s, value in zip(times_s, values, strict=True):
        t, v = (time_s - times_s[0]) / span_s, value - base
        c, st, sv, tt, tv, vv = sums[-1]
        sums.append((c + 1, st + t, sv + v, tt + t * t, tv + t * v, vv + v * v))
    parts = {at: _left(sums[0], sums[at]) + _left(sums[at], sums[n]) for at in range(FEWEST - 1, n - FEWEST + 1)}
    best = min(parts, key=lambda at: parts[at])
    return best if parts[best] < _BETTER * _left(sums[0], sums[n]) else None


def _left(begin: Sequence[float], end: Sequence[float]) -> float:
    """The sum of squares that a least-squares line leaves unexplained between two running sums."""
    c, st, sv, tt, tv, vv = (after - before for before, after in zip(begin, end, strict=True))
    across, along = tt - st * st / c, tv - st * sv / c
    return max(vv - sv * sv / c - (along * along / across if across > 0 else 0.0), 0.0)
