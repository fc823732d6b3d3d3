"""All hooks, around the watches they hear of."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from memdash.hooks.alert import CAUSE, Alert, Watched
from memdash.hooks.hook import Hook
from memdash.hooks.outlet import Outlet
from memdash.hooks.wanted import Wanted
from memdash.model.finding import Severity
from memdash.model.snapshot import Snapshot

if TYPE_CHECKING:
    from memdash.hooks.evidence import Evidence

__all__ = ["Hooks"]

_MOMENTS_AT_MOST = 4
"""How many alerts may wait whose moments are held for evidence."""


class Hooks:
    """Has each hook told of what it wants of the alerts of all the watches that are followed.

    What goes wrong stands in the log of the watch, and ``tell`` hears it too.
    """

    def __init__(
        self,
        hooks: Sequence[tuple[Hook, Wanted]],
        tell: Callable[[str], object] = lambda _: None,
        evidence: tuple[Evidence, Wanted] | None = None,
    ) -> None:
        self._tell = tell
        self._evidence = None if evidence is None else evidence[0]
        self._saving = None if evidence is None else Outlet(*evidence, self._say, _MOMENTS_AT_MOST)
        self._telling = [Outlet(hook, wanted, self._say) for hook, wanted in hooks]

    @property
    def outlets(self) -> list[Outlet]:
        """One for each hook."""
        return self._telling + ([] if self._saving is None else [self._saving])

    def follow(self, watched: Watched) -> None:
        """Hear of its alerts from now on; to be called before it is started."""
        if self._evidence is not None:
            self._evidence.follow(watched)
        watched.subscribe(lambda snapshot: self._hear(snapshot, watched))

    def _hear(self, snapshot: Snapshot, watched: Watched) -> None:
        """On the sampler's thread."""
        for transition in snapshot.transitions:
            if CAUSE in transition.finding.evidence:
                continue
            alert = Alert(snapshot.target, snapshot.at, transition, watched)
            for outlet in self._telling:
                outlet.offer(alert)
            if self._saving is not None:
                self._saving.offer(replace(alert, shown=snapshot))

    def _say(self, alert: Alert, name: str, words: str) -> None:
        alert.watched.note(words, Severity.WARNING, {CAUSE: name})
        self._tell(words)

    def finish(self, patience_s: float) -> tuple[str, ...]:
        """Give them so long to tell what they have heard; the names of those that have not by then."""
        until_s = time.monotonic() + patience_s
        return tuple(outlet.name for outlet in self.outlets if not outlet.finish(max(until_s - time.monotonic(), 0.0)))

    def close(self) -> None:
        """Break off what is under way. May be called twice."""
        for outlet in self.outlets:
            outlet.close()
        if self._evidence is not None:
            self._evidence.close()
