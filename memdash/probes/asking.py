"""Probes that ask: beside the sampler's thread, and at a pace that spares whoever has to answer."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from memdash.errors import MemdashError, defects_told
from memdash.median import median_low
from memdash.model.capability import Capability, Source
from memdash.model.sample import Fact, Reading

__all__ = ["COLLECTS", "OFTEN", "SELDOM", "STOPS_BRIEFLY", "WRITES_A_HEAP", "AskedProbe", "Asking", "Pace"]

T = TypeVar("T")

_WAIT_S = 0.05
"""How long the sampler's thread waits for an answer before it goes on; the next tick looks again.

What takes longer is not asked at every tick of a second anyhow.
"""
_REMEMBERED = 3
_LONGEST_PAUSE_S = 300.0
_WAITING = "the program has been asked and has not answered yet"


class Pace(NamedTuple):
    """How often something is asked: every ``least_s`` seconds, and less often when the answer takes long.

    ``share`` is the part of its time that the target may spend on answering.
    """

    least_s: float
    share: float


OFTEN, SELDOM = Pace(least_s=1.0, share=0.05), Pace(least_s=10.0, share=0.01)
"""For what a Go program counts anyhow, and for what it has to gather first."""
STOPS_BRIEFLY, WRITES_A_HEAP = "each reading stops it for some 100 µs", "each reading has it write a heap profile"
COLLECTS = (
    "the program runs runtime.GC, which stops it twice for a moment and takes CPU time from it until all of its heap"
    " has been marked and swept"
)
"""What a Go program goes through when it is asked for a collection."""


class Asking(Generic[T]):
    """Asks one question again and again, once at a time. For one thread, which it never holds up.

    ``ask`` is called on a thread of its own, where it also makes of the answer what it means: that may take seconds of
    CPU time. It may raise MemdashErrors; ``cancel`` has it fail soon.
    """

    def __init__(
        self,
        ask: Callable[[], T],
        cancel: Callable[[], object],
        pace: Pace,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._cancel = cancel
        self._pace = pace
        self._clock_s = clock_s
        self._request: _Request[T] | None = None
        self._spent_s: deque[float] = deque(maxlen=_REMEMBERED)

    @property
    def cadence_s(self) -> float:
        """Seconds between two questions, by what the last answers took to make, to send and to understand.

        It is the median of three, and the shorter of two: one that had to wait for a busy machine says little.
        """
        spent_s = median_low(self._spent_s or [0.0])
        return max(self._pace.least_s, min(spent_s / self._pace.share, _LONGEST_PAUSE_S))

    def answer(self) -> T | None:
        """The answer to the question under way, which begins now if there is none; None as long as it is not there.

        Raises what ``ask`` raises.
        """
        if self._request is None:
            self._request = _Request(self._ask, self._clock_s)
        request = self._request
        if not request.done.wait(_WAIT_S):
            return None
        self._request = None
        self._spent_s.append(request.took_s)
        if request.error is not None:
            raise request.error
        return request.answer

    def close(self) -> None:
        """Break off what is under way. May be called twice."""
        self._cancel()


class AskedProbe:
    """Asks one question, and goes on at once: what the answer means is taken at a later look when it has come.

    ``cost_note`` says what it has cost the target.
    """

    def __init__(
        self,
        name: str,
        capabilities: frozenset[Capability],
        source: Source,
        asking: Asking[tuple[Fact, ...]],
        cost_note: str,
    ) -> None:
        self.name = name
        self.capabilities = capabilities
        self._source = source
        self._asking = asking
        self._cost_note = cost_note

    @property
    def cadence_s(self) -> float:
        """Never every tick, and seldom when it costs the target or us much."""
        return self._asking.cadence_s

    def read(self) -> Reading:
        """Read the answer, if it is there. Raises ProbeError or TargetError."""
        facts = self._asking.answer()
        if facts is None:
            return Reading(self._source, (), pending=_WAITING)
        return Reading(self._source, facts, (self._cost_note,))

    def close(self) -> None:
        """Break off what is asked. May be called twice."""
        self._asking.close()


class _Request(Generic[T]):
    """One question on a thread of its own; a thread takes 0.1 ms to start."""

    def __init__(self, ask: Callable[[], T], clock_s: Callable[[], float]) -> None:
        self.done = threading.Event()
        self.answer: T | None = None
        self.error: MemdashError | None = None
        self.took_s = 0.0
        threading.Thread(target=self._run, args=(ask, clock_s), name="memdash-asking", daemon=True).start()

    def _run(self, ask: Callable[[], T], clock_s: Callable[[], float]) -> None:
        began_s = clock_s()
        try:
            with defects_told():
                self.answer = ask()
        except MemdashError as error:
            self.error = error
        self.took_s = clock_s() - began_s
        self.done.set()
