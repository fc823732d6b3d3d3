"""What becomes of a process tree after its target's end, followed beside whoever shows it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from memdash.errors import ProbeError, TargetError, defects_told
from memdash.model.family import Family
from memdash.model.missing import Maybe, Missing

__all__ = ["Succession"]

_LOOK_EVERY_S = 3.0


class Succession:
    """Looks at the tree on a thread of its own, from now on until it is closed.

    ``newest`` is what the newest look has shown, and ``last`` before there was any. A look takes 10 ms to 40 ms, and
    more among thousands of processes: too long for a thread that draws.
    """

    def __init__(self, last: Family, look: Callable[[], Maybe[Family]], every_s: float = _LOOK_EVERY_S) -> None:
        self.newest: Maybe[Family] = last
        self._look = look
        self._every_s = every_s
        self._closed = threading.Event()
        threading.Thread(target=self._follow, name="memdash-succession", daemon=True).start()

    def _follow(self) -> None:
        while not self._closed.is_set():
            try:
                with defects_told():
                    self.newest = self._look()
            except (ProbeError, TargetError) as error:
                self.newest = Missing.of(error)
            self._closed.wait(self._every_s)

    def close(self) -> None:
        """Look no more. A look that is under way ends on its own."""
        self._closed.set()
