"""What a memory budget is, and what every one of them says alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from memdash.analysis.arrivals import Arrival
from memdash.analysis.evidence import arrived, grown
from memdash.model.capability import Capability
from memdash.model.check import Judgement, Outcome
from memdash.model.finding import NotYet
from memdash.model.snapshot import Snapshot

__all__ = ["HELD", "Budget", "Watched", "outcome", "unknown", "what_grew"]

HELD = frozenset({Capability.MEMSTATS, Capability.GC, Capability.SYSTEM})
"""Whatever may tell what is held."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A whole watch: its last moment, whose history begins after the warm-up, and the tasks that came and stayed."""

    shown: Snapshot
    arrivals: tuple[Arrival, ...] | NotYet


class Budget(Protocol):
    """Something that must be kept to. It holds no state."""

    @property
    def name(self) -> str:
        """Stable name: that of a test case."""

    @property
    def required(self) -> bool:
        """Whether a check must not pass where this could not be judged."""

    @property
    def reads(self) -> frozenset[Capability]:
        """What it is judged by."""

    def judge(self, watched: Watched) -> Judgement:
        """What is made of the watch."""


def outcome(*, broken: bool) -> Outcome:
    """That of a budget which could be judged."""
    return Outcome.FAILED if broken else Outcome.PASSED


def unknown(budget: Budget, why: str) -> Judgement:
    """What is said of one that could not be."""
    return Judgement(name=budget.name, outcome=Outcome.UNKNOWN, why=why, required=budget.required)


def what_grew(watched: Watched) -> tuple[str, ...]:
    """Sites or types, and the tasks that came and stayed."""
    came = watched.arrivals
    return (*grown(watched.shown), *(() if isinstance(came, NotYet) else arrived(came)))
