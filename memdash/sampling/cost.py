"""What memdash itself takes."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable

from memdash.model.missing import Missing
from memdash.model.snapshot import OwnCost

__all__ = ["CostMeter"]

_SPAN_S = 15.0
_START_UP_S = 3.0
"""Attaching and drawing for the first time take more than a minute of watching; they are not what it goes on taking."""
_LEAST_S = 2.0
"""Over a shorter span it would tell the work of one tick as if that went on all the time."""
_TOO_SOON = Missing("its share of CPU is measured once it has settled, after five seconds")


class CostMeter:
    """CPU time and resident bytes of this very process, over the last seconds. Kept by the sampler's thread."""

    def __init__(
        self, now_s: Callable[[], float] = time.monotonic, cpu_s: Callable[[], float] = time.process_time
    ) -> None:
        self._now_s = now_s
        self._cpu_s = cpu_s
        self._settled_s = now_s() + _START_UP_S
        self._marks: deque[tuple[float, float]] = deque()
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")

    def measure(self) -> OwnCost:
        """Now; the percentage is Missing for the first five seconds."""
        now_s, cpu_s = self._now_s(), self._cpu_s()
        if now_s < self._settled_s:
            self._marks.clear()
        while len(self._marks) > 1 and now_s - self._marks[0][0] > _SPAN_S:
            self._marks.popleft()
        self._marks.append((now_s, cpu_s))
        then_s, then_cpu_s = self._marks[0]
        span_s = now_s - then_s
        percent = 100 * (cpu_s - then_cpu_s) / span_s if span_s >= _LEAST_S else _TOO_SOON
        with open("/proc/self/statm", "rb", buffering=0) as statm:  # as text it takes twice as long
            pages = int(statm.read().split()[1])
        return OwnCost(percent, pages * self._page_bytes)
