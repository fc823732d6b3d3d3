"""Whether a server still answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from memdash.errors import BadAnswer
from memdash.model.target import Ending, Silence

__all__ = ["Pulse", "PulseWatch"]

_LOST_AFTER_S = 10.0
_LOST_AFTER = 3


class Pulse:
    """When a server has last answered, how often in a row it has not, and whether it is still the same process.

    From any thread.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._silent_since_s = 0.0
        self._silence: Silence | None = None
        self._failures = 0
        self._allocated_bytes = 0
        self._is_known = False
        self.is_another = False

    def answered(self) -> None:
        """It has, with whatever."""
        with self._lock:
            self._failures = 0
            self._silence = None

    def failed(self, why: str) -> None:
        """It has not. Whoever answers next may be another."""
        with self._lock:
            self._is_known = False
            if self._silence is None:
                self._silent_since_s = self._clock_s()
                self._silence = Silence(time.time(), why)
            else:
                self._silence = self._silence._replace(why=why)
            self._failures += 1

    def allocated(self, total_bytes: int) -> None:
        """It says that it has allocated so much since it began: what falls is not of the same process.

        Raises BadAnswer when it is another, from then on: nothing that this one tells belongs to what was told before.
        """
        with self._lock:
            self.is_another = self.is_another or total_bytes < self._allocated_bytes
            self._allocated_bytes = total_bytes
            self._is_known = not self.is_another
        self.require_same()

    def require_same(self) -> None:
        """Make sure that what has just answered is the process that was watched so far, as far as can be told.

        Raises BadAnswer.
        """
        with self._lock:
            if self.is_another:
                raise BadAnswer("another process answers now")
            if self._allocated_bytes and not self._is_known:
                raise BadAnswer("it has not answered meanwhile, and may be another process since")

    @property
    def silence(self) -> Silence | None:
        """Since when it has not answered, and why; None while it does."""
        with self._lock:
            return self._silence

    @property
    def is_lost(self) -> bool:
        """Whether it has not answered for ten seconds and several attempts."""
        with self._lock:
            return self._failures >= _LOST_AFTER and self._clock_s() - self._silent_since_s >= _LOST_AFTER_S


class PulseWatch:
    """Watches a server that is known by its URL alone, called ``name``.

    All that can be told of its end is that it answers no more, or that another one answers.
    """

    def __init__(self, pulse: Pulse, name: str) -> None:
        self._pulse = pulse
        self._name = name
        self._ending: Ending | None = None

    def check(self) -> Ending | None:
        """How it ended, or None while it answers; once it has ended, the answer stays."""
        if self._ending is None and self._pulse.is_another:
            self._ending = Ending(at_s=time.time(), replaced=f"{self._name} is served by another process now")
        if self._ending is None and self._pulse.is_lost:
            self._ending = Ending(at_s=time.time(), is_silent=True)
        return self._ending

    def silence(self) -> Silence | None:
        """Since when it has not answered, though it may yet."""
        return self._pulse.silence

    def fileno(self) -> int:
        """There is none."""
        return -1

    def close(self) -> None:
        """Nothing to give back."""
