"""A target that ends when a test wants, and what a session has told those who listen."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from memdash.errors import MemdashError
from memdash.model.snapshot import Snapshot
from memdash.model.target import Ending, Silence

__all__ = ["StillWatch", "wait_for"]

_PATIENCE_S = 10.0


class StillWatch:
    """A target that ends when ``ending`` is set, and cannot be watched once ``failure`` is."""

    def __init__(self) -> None:
        self.ending: Ending | None = None
        self.failure: MemdashError | None = None
        self.silent: Silence | None = None

    def check(self) -> Ending | None:
        if self.failure is not None:
            raise self.failure
        return self.ending

    def silence(self) -> Silence | None:
        return self.silent

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        pass


def wait_for(heard: queue.Queue[Snapshot], wanted: Callable[[Snapshot], bool]) -> Snapshot:
    """The next moment that is as wanted. Raises queue.Empty when it does not come, whatever else does."""
    until_s = time.monotonic() + _PATIENCE_S
    while not wanted(snapshot := heard.get(timeout=max(until_s - time.monotonic(), 0.0))):
        pass
    return snapshot
