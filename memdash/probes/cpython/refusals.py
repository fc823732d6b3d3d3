"""The ways in which a Python cannot be read, and patience for one that has only just been started."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from memdash.errors import LayoutRefused, UnsupportedRuntime

__all__ = ["PATIENCE_S", "SYSTEM_VIEW", "NotStarted", "UnreadablePython", "once_started"]

SYSTEM_VIEW = "the system view still works"

PATIENCE_S = 0.5
"""For one that has only just been started: to set itself up takes it some 20 ms on an idle machine."""

_PAUSE_S = 0.01

T = TypeVar("T")


class UnreadablePython(UnsupportedRuntime):
    """The process runs on a Python, but not on one that we read."""

    default_hint = SYSTEM_VIEW


class NotStarted(LayoutRefused):
    """Python is there, but its interpreter has not been started, or has been shut down."""

    default_hint = f"if the process has only just started, try again in a moment; {SYSTEM_VIEW}"


def once_started(attempt: Callable[[], T]) -> T:
    """Try again for half a second while the attempt raises NotStarted: it takes some 20 ms from exec to a Python."""
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return attempt()
        except NotStarted:
            if time.monotonic() > until_s:
                raise
            time.sleep(_PAUSE_S)
