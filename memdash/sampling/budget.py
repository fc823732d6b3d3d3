"""What a probe costs, and how often it may therefore run.

A probe is read no more often than its own cadence, and never takes more than its share of one core: when a read costs
20 ms of CPU and the share is 1 %, the next one comes 2 s later at the earliest. One that has not finished what it reads
may take twice its share until it has. A probe that fails is tried again after 1, 2, 4 … 60 s.
"""

from __future__ import annotations

from collections import deque

from memdash.median import median_low
from memdash.model.sample import ProbeCost

__all__ = ["Budget"]

_REMEMBERED = 120
_MAX_BACKOFF_S = 60.0
_SLACK, _MOST_SLACK_S = 0.05, 0.05
_HURRY = 2.0
"""Times its share that a probe gets as long as what it has read so far is of no use yet."""


class Budget:
    """The ledger of one probe; ``own_cadence_s`` is what it says of itself."""

    def __init__(self, cadence_s: float, share: float = 0.01) -> None:
        self.own_cadence_s = cadence_s
        self._share = share
        self._costs: deque[float] = deque(maxlen=_REMEMBERED)
        self._reads = 0
        self._failures = 0
        self._due_s = 0.0

    def due(self, now_s: float) -> bool:
        """Whether the probe may run at this tick; half a millisecond early is on time."""
        return now_s >= self._due_s - 0.0005

    def spent(self, now_s: float, cost_s: float, *, pending: bool = False) -> None:
        """Book a successful read that began at ``now_s``; what is pending goes on as soon as its cost allows."""
        self._costs.append(cost_s)
        self._reads += 1
        self._failures = 0
        self._due_s = now_s + (self._pause_s(cost_s) if pending else self.cadence_s - self._slack_s)

    @property
    def _slack_s(self) -> float:
        """How much earlier is early enough: ticks come a little late by turns, and none is to be left out for that."""
        return min(_MOST_SLACK_S, _SLACK * self.cadence_s)

    def _pause_s(self, cost_s: float) -> float:
        """How long what is pending rests: one large slice among small ones, such as the first, is forgiven."""
        return min(cost_s, self._median()) / (_HURRY * self._share)

    def failed(self, now_s: float) -> None:
        """Book a failure; the next attempt waits longer each time."""
        self._failures += 1
        self._due_s = now_s + max(self.cadence_s, min(2.0 ** (self._failures - 1), _MAX_BACKOFF_S))

    @property
    def cadence_s(self) -> float:
        """Seconds between two reads at today's cost; the median forgives one slow read."""
        if not self._costs:
            return self.own_cadence_s
        return max(self.own_cadence_s, self._median() / self._share)

    def _median(self) -> float:
        """The lower one of two, as the first slices of what is read piece by piece are a small one and a large one."""
        return median_low(self._costs)

    @property
    def cost(self) -> ProbeCost:
        """The ledger as a value."""
        ordered = sorted(self._costs) or [0.0]
        return ProbeCost(
            reads=self._reads,
            median_s=median_low(ordered),
            p99_s=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
            cadence_s=self.cadence_s,
        )
