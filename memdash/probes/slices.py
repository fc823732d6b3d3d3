"""Work that takes long, done in slices of CPU time: each reading does one, and is pending until the last."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import chain, repeat
from typing import Generic, NamedTuple, TypeVar

from memdash.units import duration

__all__ = ["Done", "Slices", "counted_over"]

ProgressT = TypeVar("ProgressT")
ResultT = TypeVar("ResultT")


class Done(NamedTuple, Generic[ResultT]):
    """What came of it."""

    result: ResultT


class Slices(Generic[ProgressT, ResultT]):
    """Goes on with a generator that yields how far it is every few milliseconds, and returns what came of it.

    The first slices may be of other lengths than those that follow.
    """

    def __init__(self, first_s: Sequence[float], later_s: float, cpu_s: Callable[[], float] = time.thread_time) -> None:
        """``cpu_s`` is the clock of the reading thread."""
        self._first_s = first_s
        self._later_s = later_s
        self._cpu_s = cpu_s
        self._lengths_s: Iterator[float] = iter(())
        self._until_s = 0.0
        self._began_s = 0.0
        self._work: Generator[ProgressT, None, ResultT] | None = None
        self.begin_anew()

    def begin_anew(self) -> None:
        """Drop what is under way; the first slices come again."""
        self._lengths_s = chain(self._first_s, repeat(self._later_s))
        self._work = None

    def extend(self, by_s: float) -> None:
        """Have the slice that is under way take so much longer; called by the work itself."""
        self._until_s += by_s

    @property
    def took_s(self) -> float:
        """Wall time since the work that is under way began, or that which has just been done."""
        return time.monotonic() - self._began_s

    def go_on(self, begin: Callable[[], Generator[ProgressT, None, ResultT]]) -> Done[ResultT] | ProgressT:
        """Work for one slice, on what ``begin`` gives if nothing is under way: Done, or how far it is.

        Raises what the work raises, and then drops it.
        """
        self._until_s = self._cpu_s() + next(self._lengths_s)
        if self._work is None:
            self._began_s = time.monotonic()
        work, self._work = self._work or begin(), None
        try:
            progress = next(work)
            while self._cpu_s() < self._until_s:
                progress = next(work)
        except StopIteration as end:
            return Done(end.value)
        self._work = work
        return progress


def counted_over(took_s: float, long_s: float) -> tuple[str, ...]:
    """The caveat of what was counted piece by piece; none unless that took longer than ``long_s``."""
    return (f"counted over {duration(took_s)} while the program ran",) if took_s > long_s else ()
