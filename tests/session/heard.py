"""What a session has told those who listen."""

from __future__ import annotations

import queue
from collections.abc import Callable

from memdash.model.snapshot import Snapshot

__all__ = ["wait_for"]

_PATIENCE_S = 10.0


def wait_for(heard: queue.Queue[Snapshot], wanted: Callable[[Snapshot], bool]) -> Snapshot:
    """The next moment that is as wanted."""
    while True:
        snapshot = heard.get(timeout=_PATIENCE_S)
        if wanted(snapshot):
            return snapshot
