"""What is written of a snapshot, and who it is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Sample
from memdash.model.snapshot import OwnCost, Snapshot, State
from memdash.model.target import Ending, Silence, Target
from memdash.model.verdict import Verdict

__all__ = ["APART", "Mark", "Moment", "Run"]

APART = (
    Capability.SITES,
    Capability.TASKS,
    Capability.OBJECTS,
    Capability.MAPPINGS,
    Capability.ARENAS,
    Capability.FAMILY,
)
"""The facts of many rows, written once a reading and at most once a minute; all others stand in each moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One tick of a watch: its sample and what goes with it. Read back, a fact of ``APART`` may be a minute old.

    ``verdict`` is None before anything was judged. Both clocks are kept to the microsecond.
    """

    at: Instant
    state: State
    sample: Sample
    interval_s: float = 1.0
    cost: OwnCost = field(default_factory=OwnCost)
    verdict: Verdict | None = None
    silence: Silence | None = None
    missing: Mapping[Capability, Missing] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Moment:
        """The part of a snapshot that cannot be made anew from others."""
        return cls(
            at=snapshot.at,
            state=snapshot.state,
            sample=snapshot.sample,
            interval_s=snapshot.interval_s,
            cost=snapshot.cost,
            verdict=snapshot.verdict,
            silence=snapshot.silence,
            missing=snapshot.missing,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One watch over one target within a file. ``number`` tells it from the others; it may still be going on.

    ``since`` and ``until`` are its first and newest moment, both the beginning while there is none; ``ending`` is how
    the target ended, None when it was not seen to. Monotonic times of two runs compare only within one boot.
    """

    number: int
    target: Target
    since: Instant
    until: Instant
    interval_s: float
    version: str
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that somebody wants to find again; ``note`` is what they wrote, perhaps nothing."""

    at: Instant
    note: str
