"""Sending one thing after another to a server that may be slow, full or away, and losing no more than has to be."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Generic, NamedTuple, TypeVar

from memdash.errors import BadAnswer, MemdashError, defects_told
from memdash.units import count, duration

__all__ = ["Delivery", "Tally"]

Item = TypeVar("Item")

_WAITING_AT_MOST = 8
_LEAST_PAUSE_S, _MOST_PAUSE_S = 1.0, 300.0
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_NEVER = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.GONE,
    }
)
"""What no other thing would change: the address or the password is wrong."""


class Tally(NamedTuple):
    """How many things were taken by the server, refused by it, and dropped because too many waited."""

    sent: int = 0
    refused: int = 0
    dropped: int = 0


class Delivery(Generic[Item]):
    """Hands things to ``send``, one at a time and in order, in a thread of its own.

    When ``send`` raises, the thing is tried again: after a second, two, four and so on up to five minutes, each time a
    random part of it sooner, or when the server says. Meanwhile ``capacity`` others wait, and beyond that the oldest
    is dropped. What the server refuses for good (4xx) is not tried again; where it would refuse everything (a redirect,
    401, 403, 404, 405, 410), nothing is sent any more and ``failure`` says why. ``say`` hears of each such change once,
    on that thread. ``break_off`` has a ``send`` that is under way fail soon.
    """

    def __init__(
        self,
        send: Callable[[Item], object],
        say: Callable[[str], object],
        break_off: Callable[[], object] = lambda: None,
        *,
        capacity: int = _WAITING_AT_MOST,
        pauses: tuple[float, float] = (_LEAST_PAUSE_S, _MOST_PAUSE_S),
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._send = send
        self._say = say
        self._break_off = break_off
        self._capacity = capacity
        self._least_s, self._most_s = pauses
        self._chance = chance
        self._queue: deque[Item] = deque()
        self._changed = threading.Condition()
        self._is_closed = self._is_busy = False
        self._failing = 0
        self._refusal = ""
        self.failure: BadAnswer | None = None
        self.trouble = ""
        """Why what was tried last has not arrived, as a clause; empty where it has, and before anything is tried."""
        self._sent = self._refused = self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="memdash-delivery", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def offer(self, item: Item) -> None:
        """Send it as soon as may be. Returns at once; from any thread."""
        with self._changed:
            if self._is_closed or self.failure is not None:
                return
            if len(self._queue) >= self._capacity:
                self._queue.popleft()
                self._dropped += 1
            self._queue.append(item)
            self._changed.notify_all()

    def finish(self, patience_s: float) -> bool:
        """Wait until all is sent, or sending fails, so long at most; whether nothing is left to be sent."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_idle() or self._failing, patience_s)
            return self._is_idle()

    def _is_idle(self) -> bool:
        return self.failure is not None or not (self._queue or self._is_busy)

    @property
    def tally(self) -> Tally:
        """What has become of all that is no longer waiting."""
        return Tally(self._sent, self._refused, self._dropped)

    @property
    def waiting(self) -> int:
        """How many have not been sent yet; of a closed one, how many never will be."""
        with self._changed:
            return len(self._queue) + self._is_busy

    def close(self) -> None:
        """Send nothing more, and break off what is under way. May be called twice."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._break_off()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while (item := self._next()) is not None:
            while (pause_s := self._tried(item)) is not None:
                if not self._paused(pause_s):
                    return
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _next(self) -> Item | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._is_closed or self.failure is not None)
            if self._is_closed or self.failure is not None:
                return None
            self._is_busy = True
            return self._queue.popleft()

    def _tried(self, item: Item) -> float | None:
        """Send it; how long to wait before the next attempt, or None when there is to be none."""
        began_s = time.monotonic()
        try:
            with defects_told():
                self._send(item)
        except BadAnswer as error:
            self.trouble = error.what
            if error.status in _NEVER or HTTPStatus.MULTIPLE_CHOICES <= error.status < HTTPStatus.BAD_REQUEST:
                with self._changed:
                    self.failure = error
                    self._changed.notify_all()
                return None
            if HTTPStatus.BAD_REQUEST <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR and error.status not in _LATER:
                self._turned_down(error)
                return None
            return self._failed(error, error.retry_after_s)
        except MemdashError as error:
            if not self._is_closed:
                self.trouble = error.what
            elif not self.trouble:  # what was broken off only says that it was
                self.trouble = f"the server has not answered for {duration(time.monotonic() - began_s)}"
            return self._failed(error, 0.0)
        if self._failing:
            dropped = f"; {count(self._dropped)} were dropped" if self._dropped else ""
            self._say(f"it is sent again{dropped}")
        self._failing, self._refusal, self.trouble = 0, "", ""
        self._sent += 1
        return None

    def _turned_down(self, error: BadAnswer) -> None:
        self._refused += 1
        if error.what != self._refusal:
            self._say(f"{error.what}; what it refuses is left out")
        self._refusal = error.what
        self._failing = 0

    def _failed(self, error: MemdashError, wanted_s: float) -> float:
        longest_s = min(self._least_s * 2.0 ** min(self._failing, 30), self._most_s)
        pause_s = max(longest_s * (0.5 + self._chance() / 2), wanted_s)  # so that many do not come back at once
        if not self._failing and not self._is_closed:
            self._say(f"{error.what}; it is tried again in {duration(pause_s)}, and then more seldom")
        with self._changed:
            self._failing += 1
            self._changed.notify_all()
        return pause_s

    def _paused(self, seconds: float) -> bool:
        """Wait; False when it was closed meanwhile."""
        until_s = time.monotonic() + seconds
        with self._changed:
            return not self._changed.wait_for(lambda: self._is_closed, max(until_s - time.monotonic(), 0.0))
