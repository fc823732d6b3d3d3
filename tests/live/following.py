"""A Session over a live target, and waiting until its snapshots say what is awaited."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from typing import Self

from memdash.model.relief import GcAt
from memdash.model.snapshot import Snapshot
from memdash.probes.probe import ProbeEntry
from memdash.process.identity import identify
from memdash.session import Live

__all__ = ["Following"]

_PATIENCE_S = 30.0


class Following:
    """A context manager around a watch of 20 ticks a second."""

    def __init__(self, pid: int, entries: Sequence[ProbeEntry], gc_at: GcAt | None = None) -> None:
        self._snapshots: queue.SimpleQueue[Snapshot] = queue.SimpleQueue()
        self.live = Live(identify(pid), interval_s=0.05, entries=entries, gc_at=gc_at)
        self.live.subscribe(self._snapshots.put)

    def until(self, awaited: Callable[[Snapshot], object]) -> Snapshot:
        """The first new snapshot of which that is so."""
        deadline_s = time.monotonic() + _PATIENCE_S
        while True:
            snapshot = self._snapshots.get(timeout=max(deadline_s - time.monotonic(), 0.001))
            if awaited(snapshot):
                return snapshot

    def until_told(self, words: str) -> str:
        """The line of the alert log that holds these words."""

        def told(snapshot: Snapshot) -> list[str]:
            return [finding.summary for finding in snapshot.findings if words in finding.summary]

        return told(self.until(told))[0]

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.close()
