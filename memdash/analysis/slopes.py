"""Robust slopes: Theil–Sen with a rank-based interval, Mann–Kendall with ties, both corrected for what lingers.

Pure Python, O(n²): 0.4 ms for 64 points. Theil (1950), Sen (1968) for the interval, Mann (1945), Kendall (1975) for
the test; its variance is widened as for a first-order autoregressive noise (Bayley and Hammersley, 1946).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from memdash.median import median
from memdash.model.verdict import Slope

__all__ = ["Line", "line"]

_MOST_LINGERING = 0.8
"""Beyond this a lag-1 correlation says that the course is no line, rather than that the noise lingers."""

_INTERVAL_Z = 1.96


@dataclass(frozen=True, slots=True)
class Line:
    """``slope`` with its 95 % interval; ``start`` is the value at t = 0.

    ``z`` is that of the monotone test, positive when values rise; ``plain_z`` is not corrected for lingering noise.
    """

    slope: Slope
    z: float
    plain_z: float
    start: float

    def at(self, time_s: float) -> float:
        """The value that the line has then."""
        return self.start + self.slope.per_s * time_s


def line(times_s: Sequence[float], values: Sequence[float]) -> Line | None:
    """Fit values at strictly rising times; None for fewer than three."""
    n = len(values)
    if n < 3:
        return None
    slopes = [(values[j] - values[i]) / (times_s[j] - times_s[i]) for i in range(n) for j in range(i + 1, n)]
    slopes.sort()
    middle = median(slopes)
    start = median(value - middle * time_s for time_s, value in zip(times_s, values, strict=True))
    residuals = [value - start - middle * time_s for time_s, value in zip(times_s, values, strict=True)]
    inflation = _inflation(residuals)
    spread = _deviation(values) * inflation
    falls, ups = bisect_left(slopes, 0.0), len(slopes) - bisect_right(slopes, 0.0)
    score = ups - falls
    z = (score - (score > 0) + (score < 0)) / spread if spread else 0.0
    beyond = _INTERVAL_Z * spread
    first, last = math.floor((len(slopes) - beyond) / 2), math.ceil((len(slopes) + beyond) / 2)
    low = slopes[first] if first >= 0 else -math.inf
    high = slopes[last] if last < len(slopes) else math.inf
    return Line(Slope(middle, low, high), z, z * inflation, start)


def _deviation(values: Sequence[float]) -> float:
    """Of the Mann–Kendall score when there is no trend; equal values narrow it."""
    n = len(values)
    ties = sum(t * (t - 1) * (2 * t + 5) for t in Counter(values).values() if t > 1)
    return math.sqrt(max(n * (n - 1) * (2 * n + 5) - ties, 0) / 18)


def _inflation(residuals: Sequence[float]) -> float:
    """By how much noise that lingers from one point to the next widens the deviation."""
    mean = sum(residuals) / len(residuals)
    centred = [residual - mean for residual in residuals]
    power = sum(c * c for c in centred)
    if not power:
        return 1.0
    lingering = sum(a * b for a, b in pairwise(centred)) / power
    lingering = min(max(lingering, 0.0), _MOST_LINGERING)
    return math.sqrt((1 + lingering) / (1 - lingering))
