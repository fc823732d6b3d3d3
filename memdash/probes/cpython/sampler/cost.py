"""What the sampler costs its target, by what it has measured there itself.

When it begins, it times calls of the allocator with its hooks and without, and it times some of the samples that it
takes; how many calls there are follows from the samples. A program that moves from cache to cache pays more for a call
than those that were timed, as the ratios in the README say.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Cost", "Counted"]

_PS_PER_S, _NS_PER_S = 1e12, 1e9
_LEAST_S = 1.0


class Counted(NamedTuple):
    """What has been counted until ``at_s`` (monotonic): calls of the allocators, and the time that samples took.

    Each call takes ``call_ps`` longer than without the sampler.
    """

    at_s: float
    calls: int
    call_ps: int
    slow_ns: int


class Cost:
    """Looks at the counts again and again."""

    def __init__(self) -> None:
        self._last: Counted | None = None
        self._share: float | None = None

    def share(self, now: Counted) -> float | None:
        """The part of one core that goes into sampling, since the look before; None at the first one."""
        if self._last is None or now.slow_ns < self._last.slow_ns:
            self._last, self._share = now, None
        elif now.at_s - self._last.at_s >= _LEAST_S:
            calls, slow_ns = max(now.calls - self._last.calls, 0), now.slow_ns - self._last.slow_ns
            took_s = calls * now.call_ps / _PS_PER_S + slow_ns / _NS_PER_S
            self._share = took_s / (now.at_s - self._last.at_s)
            self._last = now
        return self._share
