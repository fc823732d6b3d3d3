"""How long threads have not run: by the CPU time that the kernel counts for each, from one look to the next."""

from __future__ import annotations

import time
from collections.abc import Mapping

from memdash.model.missing import Maybe, Missing
from memdash.process.threads import Doing

__all__ = ["RAN", "UNCOUNTED", "Rest"]

RAN = Missing("it has run since it was looked at before")
UNCOUNTED = Missing("the kernel does not count how long its threads run")
_ONCE = Missing("it has been looked at only once")


class Rest:
    """Remembers of each thread when its count was first what it is now."""

    def __init__(self) -> None:
        self._since: dict[int, tuple[int, float]] = {}

    def take(self, doing: Mapping[int, Doing]) -> dict[int, Maybe[float]]:
        """For how long each thread has at least not run, in seconds; it may be longer than it has been watched."""
        now_s = time.monotonic()
        before, self._since = self._since, {}
        rested: dict[int, Maybe[float]] = {}
        for tid, done in doing.items():
            if done.cpu_ns is None:
                rested[tid] = UNCOUNTED
                continue
            then = before.get(tid)
            stayed = then is not None and then[0] == done.cpu_ns
            self._since[tid] = then if then is not None and stayed else (done.cpu_ns, now_s)
            rested[tid] = now_s - self._since[tid][1] if stayed else RAN if then is not None else _ONCE
        return rested
