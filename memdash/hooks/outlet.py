"""A hook's queue and thread: whoever puts an alert in never waits, and a hook that is slow keeps up no other."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from memdash.errors import MemdashError, defects_told
from memdash.hooks.alert import Alert
from memdash.hooks.hook import Hook
from memdash.hooks.wanted import Wanted
from memdash.units import count

__all__ = ["Outlet"]

_WAITING_AT_MOST = 64


class Outlet:
    """Hands what is ``wanted`` to one hook, an alert at a time and in order, in a thread that the first one starts.

    Beyond ``capacity`` the oldest are dropped and counted. ``say`` hears once that the hook fails, until it works
    again; that it is too slow, and once it has caught up how many alerts it has missed. It is given the alert at which
    that was noticed, and called on the hook's thread.
    """

    def __init__(
        self, hook: Hook, wanted: Wanted, say: Callable[[Alert, str, str], object], capacity: int = _WAITING_AT_MOST
    ) -> None:
        self._hook = hook
        self._wanted = wanted
        self._say = say
        self._capacity = capacity
        self._queue: deque[Alert] = deque()
        self._changed = threading.Condition()
        self._closing = self._is_cancelled = False
        self._busy = False
        self._dropped = 0
        self._is_slow = False
        self._is_failing = False
        self._thread = threading.Thread(target=self._run, name="memdash-hook", daemon=True)

    def offer(self, alert: Alert) -> None:
        """Take it if it is wanted. Returns at once; from any thread, as each watch has one."""
        with self._changed:
            if self._closing or not self._wanted.takes(alert.target.pid, alert.transition):
                return
            self._queue.append(alert)
            if len(self._queue) > self._capacity:
                self._queue.popleft()
                self._dropped += 1
            if self._thread.ident is None:
                self._thread.start()
            self._changed.notify_all()

    @property
    def name(self) -> str:
        """The hook's."""
        return self._hook.name

    @property
    def waiting(self) -> int:
        """How many alerts it has taken and not told to the end yet."""
        with self._changed:
            return len(self._queue) + self._busy

    def finish(self, patience_s: float) -> bool:
        """Take no more, and wait so long for what is left to be told; whether all of it was."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: not (self._queue or self._busy), patience_s)

    def close(self) -> None:
        """Break off what is under way, forget the rest, and end the thread. May be called twice."""
        with self._changed:
            self._closing = self._is_cancelled = True
            self._queue.clear()
            self._changed.notify_all()
        self._hook.cancel()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while (alert := self._next()) is not None:
            self._tell(alert)
            self._tell_drops(alert)
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _next(self) -> Alert | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            if not self._queue:
                return None
            self._busy = True
            return self._queue.popleft()

    def _tell(self, alert: Alert) -> None:
        failure = ""
        try:
            with defects_told():
                self._hook.tell(alert)
        except MemdashError as error:
            failure = error.what
        if failure and not self._is_failing and not self._is_cancelled:
            self._say(alert, self.name, f"{self.name} failed: {failure}")
        self._is_failing = bool(failure)

    def _tell_drops(self, alert: Alert) -> None:
        with self._changed:
            dropped, caught_up = self._dropped, not self._queue
            if caught_up:
                self._dropped = 0
        if dropped and caught_up:
            self._say(alert, self.name, f"{self.name} was too slow, and was not told of {count(dropped)} alerts")
        elif dropped and not self._is_slow:
            self._say(alert, self.name, f"{self.name} is too slow, and is not told of all alerts")
        self._is_slow = dropped > 0 and not caught_up
