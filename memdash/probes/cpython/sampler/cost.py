"""What the sampler costs its target, by what it counts itself: an estimate, as the target's clock is not asked.

The figures are those of the benchmark of the sampler on a machine of 2025; a program that moves from cache to cache
pays more, as the ratios in the README say.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Cost", "Counted"]

_CALL_S = 1.5e-9
_SAMPLE_S = 170e-9
_LEAST_S = 1.0


class Counted(NamedTuple):
    """What has been counted until ``at_s`` (monotonic): calls of the allocators, estimated, and samples."""

    at_s: float
    calls: int
    samples: int


class Cost:
    """Looks at the counts again and again."""

    def __init__(self) -> None:
        self._last: Counted | None = None
        self._share: float | None = None

    def share(self, now: Counted) -> float | None:
        """The part of one core that goes into sampling, since the look before; None at the first one."""
        if self._last is None or now.calls < self._last.calls:
            self._last, self._share = now, None
        elif now.at_s - self._last.at_s >= _LEAST_S:
            calls, samples = now.calls - self._last.calls, now.samples - self._last.samples
            self._share = (calls * _CALL_S + samples * _SAMPLE_S) / (now.at_s - self._last.at_s)
            self._last = now
        return self._share
