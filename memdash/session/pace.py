"""Which moments count when only one is wanted in so many seconds."""

from __future__ import annotations

__all__ = ["Pace"]


class Pace:
    """Given the moments of a watch in order, ``interval_s`` apart, takes those nearest to whole steps from the first.

    With a step of 0 it takes all. Times are monotonic.
    """

    def __init__(self, step_s: float, interval_s: float) -> None:
        self._step_s = step_s
        self._slack_s = min(interval_s, step_s) / 2
        self._due_s: float | None = None

    def takes(self, at_s: float) -> bool:
        """Whether this one counts."""
        if self._due_s is None:
            self._due_s = at_s
        elif at_s < self._due_s - self._slack_s:
            return False
        if self._step_s:
            self._due_s += self._step_s * ((at_s + self._slack_s - self._due_s) // self._step_s + 1)
        return True
