"""The clock, passed in so that tests can own it."""

from __future__ import annotations

import time
from typing import Protocol

from memdash.model.sample import Instant

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Tells the time on both clocks, and the CPU time of the calling thread."""

    def now(self) -> Instant:
        """This moment."""

    def thread_cpu_s(self) -> float:
        """CPU seconds that the calling thread has used."""


class SystemClock:
    """The machine's clocks. CLOCK_BOOTTIME goes on while the machine sleeps, so a suspend shows as a gap."""

    def now(self) -> Instant:
        """This moment."""
        return Instant(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))

    def thread_cpu_s(self) -> float:
        """CPU seconds that the calling thread has used."""
        return time.thread_time()
