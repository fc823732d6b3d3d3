"""What is written of a snapshot, and who it is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.relief import Relief
from memdash.model.sample import Instant, Sample
from memdash.model.snapshot import Baseline, OwnCost, Snapshot, State
from memdash.model.target import Ending, Silence, Target
from memdash.model.verdict import Slope, Verdict

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
    """One tick of a watch: what a Snapshot has under the same names.

    Read back, a fact of ``APART`` may be a minute old. ``verdict`` is None before anything was judged. Both clocks are
    kept to the microsecond, the figures of a verdict to five digits, and the costs of probes are those of the beginning
    of the minute.
    """

    at: Instant
    state: State
    sample: Sample
    interval_s: float = 1.0
    cost: OwnCost = field(default_factory=OwnCost)
    verdict: Verdict | None = None
    silence: Silence | None = None
    missing: Mapping[Capability, Missing] = field(default_factory=dict)
    baseline: Baseline | None = None
    muted: Mapping[str, float] = field(default_factory=dict)
    relief: Relief | None = None

    @classmethod
    def of(cls, snapshot: Snapshot) -> Moment:
        """The part of a snapshot that cannot be made anew from others."""
        told: dict[str, Any] = {part.name: getattr(snapshot, part.name) for part in fields(cls)}
        return cls(**told | {"verdict": snapshot.verdict and _rounded(snapshot.verdict)})

    @property
    def told(self) -> dict[str, Any]:
        """What a snapshot of this moment has of it, by the names of its fields; the baseline is another by now."""
        return {part.name: getattr(self, part.name) for part in fields(self) if part.name != "baseline"}


def _rounded(verdict: Verdict) -> Verdict:
    """They are estimates, and no two are alike: in full they would take more room than what they are told from."""
    slope = verdict.slope
    return replace(
        verdict,
        slope=None if slope is None else Slope(*map(_five_digits, slope)),
        level_bytes=_five_digits(verdict.level_bytes),
        growth_bytes=_five_digits(verdict.growth_bytes),
    )


def _five_digits(value: float) -> float:
    return float(f"{value:.5g}")


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
