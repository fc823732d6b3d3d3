"""One watch after another, over whatever process has the name."""

from __future__ import annotations

from collections.abc import Callable

from memdash.model.snapshot import Snapshot, State
from memdash.model.target import Target
from memdash.process.listing import Lookout
from memdash.session.session import Session

__all__ = ["Following"]


class Following:
    """Watches ``target``; once that has ended, the next process of its name to start, if it ``goes_on``.

    Without a target it waits for the first of that name. Belongs to one thread, but for ``snapshot``.
    """

    def __init__(
        self,
        name: str,
        opener: Callable[[Target], Session],
        target: Target | None = None,
        *,
        goes_on: bool = False,
        lookout: Callable[[str], Lookout] = Lookout,
    ) -> None:
        self.name = name
        self._opener = opener
        self._goes_on = goes_on or target is None
        self._lookout_for = lookout
        self._session = None if target is None else opener(target)
        self._lookout = lookout(name) if target is None else None

    def start(self) -> None:
        """Begin to watch, if there is anything yet."""
        if self._session is not None:
            self._session.start()

    def snapshot(self) -> Snapshot | None:
        """The newest moment of the newest watch; None before there is one. Safe from any thread."""
        session = self._session
        return None if session is None else session.snapshot()

    @property
    def _has_ended(self) -> bool:
        return self._session is None or self._session.snapshot().state.is_over

    def turn(self) -> bool:
        """Look for who comes next where that is wanted; whether a new watch has begun. Costs a look at each process."""
        if not (self._goes_on and self._has_ended):
            return False
        target = self._looked_out()
        if target is None:
            return False
        if self._session is not None:
            self._session.close()
        self._session, self._lookout = self._opener(target), None
        self._session.start()
        return True

    def _looked_out(self) -> Target | None:
        """Who could not be read is no successor of its own; after an exec the same process is."""
        if self._lookout is None:
            self._lookout = self._lookout_for(self.name)
            if self._session is not None and self._session.snapshot().state is State.REFUSED:
                self._lookout.look()
        return self._lookout.look()

    def close(self) -> None:
        """Stop watching; the last snapshot stays. May be called twice."""
        if self._session is not None:
            self._session.close()
