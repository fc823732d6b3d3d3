"""The watches over the members of one process tree: opened when one is turned to, kept, closed together."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from memdash.errors import TargetExited
from memdash.model.family import Family, Member
from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Target
from memdash.probes.system.family import Survivors
from memdash.process.identity import identify
from memdash.session.session import Session
from memdash.session.succession import Succession

__all__ = ["Watches"]

_KEPT_AT_MOST = 6
"""Each goes on sampling, at the cost of one dashboard without its drawing."""


def _survivors(target: Target, before: Family) -> Callable[[], Family]:
    return Survivors(target, before).look


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
        survivors: Callable[[Target, Family], Callable[[], Maybe[Family]]] = _survivors,
    ) -> None:
        self._opener = opener
        self._identified = identified
        self._survivors = survivors
        self._kept: OrderedDict[tuple[int, int], Session] = OrderedDict()
        self._succession: tuple[Target, Succession] | None = None
        self._closing: list[threading.Thread] = []

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
        """The tree around what is shown; once that has ended, the tree as its other members stood a moment ago.

        It never waits for a look: those are taken beside, for as long as they are asked for.
        """
        family = shown.sample.family
        if shown.state is not State.ENDED or isinstance(family, Missing) or not family.is_tree:
            self._leave_succession()
            return family
        if self._succession is None or self._succession[0] != shown.target:
            self._leave_succession()
            self._succession = (shown.target, Succession(family, self._survivors(shown.target, family)))
        return self._succession[1].newest

    def _leave_succession(self) -> None:
        if self._succession is not None:
            self._succession[1].close()
            self._succession = None

    def close(self) -> None:
        """Close all at the same time, so that it takes as long as the slowest. May be called twice."""
        self._leave_succession()
        while self._kept:
            self._begin_to_close(self._kept.popitem()[1])
        while self._closing:
            self._closing.pop().join()

    def _begin_to_close(self, session: Session) -> None:
        """To stop one may take as long as a slow read, and whoever turns to another waits for nothing."""
        self._closing = [thread for thread in self._closing if thread.is_alive()]
        self._closing.append(threading.Thread(target=session.close, name="memdash-close", daemon=True))
        self._closing[-1].start()
