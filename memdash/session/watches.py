"""The watches over the members of one process tree: opened when one is turned to, kept, closed together."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from memdash.errors import TargetExited
from memdash.model.family import Family, Member
from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Target
from memdash.probes.system.family import tree_of
from memdash.process.identity import identify
from memdash.session.session import Session

__all__ = ["Watches"]

_KEPT_AT_MOST = 6
"""Each goes on sampling, at the cost of one dashboard without its drawing."""

_LOOK_EVERY_S = 3.0


class Watches:
    """Opens a session for each target that is turned to, and keeps it running: its history is there on return.

    ``opener`` makes a session that has not been started. Beyond six the one that was not seen for longest is closed.
    Belongs to one thread.
    """

    def __init__(
        self,
        opener: Callable[[Target], Session],
        *,
        identified: Callable[[int], Target] = identify,
        looked: Callable[[Target, Family], Maybe[Family]] = tree_of,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opener = opener
        self._identified = identified
        self._looked = looked
        self._now_s = now_s
        self._kept: OrderedDict[tuple[int, int], Session] = OrderedDict()
        self._closing: list[threading.Thread] = []
        self._look: tuple[Target, float, Maybe[Family]] | None = None

    def open(self, target: Target) -> Session:
        """The session over ``target``, not yet started when it is new. Raises TargetError."""
        key = (target.pid, target.start_ticks)
        if key not in self._kept:
            self._kept[key] = self._opener(target)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT_AT_MOST:
            self._begin_to_close(self._kept.popitem(last=False)[1])
        return self._kept[key]

    def turn_to(self, member: Member) -> Session:
        """The session over a member, started. Raises TargetError when it has gone, or cannot be watched."""
        kept = self._kept.get((member.pid, member.start_ticks))
        if kept is not None:
            self._kept.move_to_end((member.pid, member.start_ticks))
            return kept
        target = self._identified(member.pid)
        if target.start_ticks != member.start_ticks:
            raise TargetExited(f"process {member.pid} has ended, and its pid belongs to another one")
        session = self.open(target)
        session.start()
        return session

    def family(self, shown: Snapshot) -> Maybe[Family]:
        """The tree around what is shown; once that has ended, the tree as its other members stand now."""
        family = shown.sample.family
        if shown.state is not State.ENDED or isinstance(family, Missing) or not family.is_tree:
            return family
        if self._look is None or self._look[0] != shown.target or self._now_s() > self._look[1] + _LOOK_EVERY_S:
            self._look = (shown.target, self._now_s(), self._looked(shown.target, family))
        return self._look[2]

    def close(self) -> None:
        """Close all at the same time, so that it takes as long as the slowest. May be called twice."""
        while self._kept:
            self._begin_to_close(self._kept.popitem()[1])
        while self._closing:
            self._closing.pop().join()

    def _begin_to_close(self, session: Session) -> None:
        """To stop one may take as long as a slow read, and whoever turns to another waits for nothing."""
        self._closing = [thread for thread in self._closing if thread.is_alive()]
        self._closing.append(threading.Thread(target=session.close, name="memdash-close", daemon=True))
        self._closing[-1].start()
