"""What one call costs."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["cpu_ms"]


def cpu_ms(work: Callable[[], object]) -> float:
    """The CPU time that this thread spends on it, in milliseconds."""
    before_s = time.thread_time()
    work()
    return 1e3 * (time.thread_time() - before_s)
