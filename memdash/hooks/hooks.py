"""All hooks, around the watches they hear of."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from memdash.hooks.alert import CAUSE, Alert, Watched
from memdash.hooks.hook import Hook
from memdash.hooks.outlet import Outlet
from memdash.hooks.wanted import Wanted
from memdash.model.finding import Severity
from memdash.model.snapshot import Snapshot

__all__ = ["Hooks"]


class Hooks:
    """Has each hook told of what it wants of the alerts of all the watches that are followed.

    What goes wrong stands in the log of the watch, and ``tell`` hears it too.
    """

    def __init__(self, hooks: Sequence[tuple[Hook, Wanted]], tell: Callable[[str], object] = lambda _: None) -> None:
        self._tell = tell
        self.outlets = [Outlet(hook, wanted, self._say) for hook, wanted in hooks]

    def follow(self, watched: Watched) -> None:
        """Hear of its alerts from now on; to be called before it is started."""
        if self.outlets:
            watched.subscribe(lambda snapshot: self._hear(snapshot, watched))

    def _hear(self, snapshot: Snapshot, watched: Watched) -> None:
        """On the sampler's thread."""
        for transition in snapshot.transitions:
            if CAUSE in transition.finding.evidence:
                continue
            for outlet in self.outlets:
                outlet.offer(Alert(snapshot.target, snapshot.at, transition, watched))

    def _say(self, alert: Alert, name: str, words: str) -> None:
        alert.watched.note(words, Severity.WARNING, {CAUSE: name})
        self._tell(words)

    def finish(self, patience_s: float) -> tuple[str, ...]:
        """Give them so long to tell what they have heard; the names of those that have not by then."""
        until_s = time.monotonic() + patience_s
        return tuple(
            [outlet.name for outlet in self.outlets if not outlet.finish(max(until_s - time.monotonic(), 0.0))]
        )

    def close(self) -> None:
        """Break off what is under way. May be called twice."""
        for outlet in self.outlets:
            outlet.close()
