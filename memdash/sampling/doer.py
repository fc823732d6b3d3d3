"""Does what is asked for, one after the other, on a thread that exists only meanwhile: reading goes on beside it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from memdash.model.action import Action, Deed
from memdash.model.missing import Missing
from memdash.model.sample import Sample
from memdash.sampling.clock import Clock
from memdash.sampling.doing import Doing
from memdash.sampling.roster import Roster

__all__ = ["Doer"]

_UNSEEN = Missing("the watch has ended meanwhile")
_BY_ITSELF_S, _CANCELLED_S = 0.2, 1.0
"""How long an action that is under way at the end of a watch gets to end by itself, and then to hear of that."""


class Doer:
    """``wake`` is called, on that thread, whenever an action has been done.

    ``ask`` and ``is_asked`` are for any thread; everything else belongs to the one that reads.
    """

    def __init__(self, wake: Callable[[], object], clock: Clock) -> None:
        self._wake = wake
        self._clock = clock
        self._asked: deque[tuple[Action, str]] = deque()
        self._doing: Doing | None = None
        self._is_done = threading.Event()

    def ask(self, action: Action, cause: str) -> None:
        """Have it done after all that was asked for before."""
        self._asked.append((action, cause))

    def is_asked(self, action: Action) -> bool:
        """Whether it is being done, or waits for its turn."""
        return any(action is asked for asked, _ in self._asked.copy())

    def deeds(self, roster: Roster) -> Iterator[Deed]:
        """What has been done since the last time; the next one begins as soon as that has been taken.

        The target is looked at just before and just after. Raises TargetExited.
        """
        while True:
            if self._doing is None:
                if not self._asked:
                    return
                begun = roster.begin(self._asked[0][0])
                if isinstance(begun, Deed):
                    yield self._over(begun)
                    continue
                self._begin(begun)
            if self._doing is None or not self._is_done.is_set():
                return
            done, self._doing = self._doing, None
            yield self._over(roster.end(done))

    def _over(self, deed: Deed) -> Deed:
        """It was the first of those asked for."""
        _, cause = self._asked.popleft()
        return replace(deed, cause=cause)

    def _begin(self, doing: Doing) -> None:
        def carry_out() -> None:
            doing.carry_out()
            self._is_done.set()
            self._wake()

        self._doing = doing
        self._is_done.clear()
        threading.Thread(target=carry_out, name="memdash-acting", daemon=True).start()

    def last(self, roster: Roster) -> Iterator[Deed]:
        """What comes of one that is under way although nothing will be read any more; of one that hangs, nothing."""
        if self._doing is None:
            return
        if not self._is_done.wait(_BY_ITSELF_S):
            roster.cancel()
            if not self._is_done.wait(_CANCELLED_S):
                return
        done, self._doing = self._doing, None
        yield self._over(done.deed(Sample.empty(self._clock.now(), _UNSEEN)))

    def join(self) -> None:
        """Wait until nothing is being done to the target, however long that takes."""
        if self._doing is not None:
            self._is_done.wait()
