"""Python's own collections of garbage: among the million values of a profile they find none, and take long."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from threading import Lock

__all__ = ["without_collections"]


class _Without:
    """How many do without at the moment, and whether collections are to begin again once nobody does."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._count = 0
        self._was_enabled = False

    def enter(self) -> None:
        with self._lock:
            if not self._count:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._count += 1

    def leave(self) -> None:
        with self._lock:
            self._count -= 1
            if not self._count and self._was_enabled:
                gc.enable()


_WITHOUT = _Without()


@contextlib.contextmanager
def without_collections() -> Iterator[None]:
    """For what makes a profile, or something of one, in a second or so: nothing is collected meanwhile, in any thread.

    Several threads may do so at a time. Whoever goes last lets collections begin again, if there were any before.
    """
    _WITHOUT.enter()
    try:
        yield
    finally:
        _WITHOUT.leave()
