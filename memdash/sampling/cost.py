"""What memdash itself takes."""

from __future__ import annotations

import os
import time
from collections import deque

from memdash.model.snapshot import OwnCost

__all__ = ["CostMeter"]

_SPAN_S = 15.0


class CostMeter:
    """CPU time and resident bytes of this very process, over the last seconds. Kept by the sampler's thread."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, float]] = deque()
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")

    def measure(self) -> OwnCost:
        """Now; the percentage is 0 until a second mark exists."""
        now_s, cpu_s = time.monotonic(), time.process_time()
        while len(self._marks) > 1 and now_s - self._marks[0][0] > _SPAN_S:
            self._marks.popleft()
        self._marks.append((now_s, cpu_s))
        then_s, then_cpu_s = self._marks[0]
        percent = 100 * (cpu_s - then_cpu_s) / (now_s - then_s) if now_s > then_s else 0.0
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[1])
        return OwnCost(percent, pages * self._page_bytes)
