"""What a probe is: one way to read a target."""

from __future__ import annotations

from typing import Protocol

from memdash.model.capability import Capability
from memdash.model.sample import Reading

__all__ = ["Probe"]


class Probe(Protocol):
    """Holds its handles, lives in the sampler thread, and is read at its own cadence.

    ``cadence_s`` is the shortest time between two reads that makes sense (0: every tick), and may change with what the
    last one took; the sampler stretches it when a read costs more than its budget. What takes long is read piece by
    piece: each read but the last of a round returns a reading that is pending, and the sampler comes back sooner.
    """

    @property
    def name(self) -> str:
        """Stable, dotted: ``go.memstats``."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What its readings hold."""

    @property
    def cadence_s(self) -> float:
        """Shortest useful time between two reads, in seconds."""

    def read(self) -> Reading:
        """Read once, blocking. Raises ProbeError or TargetError."""

    def close(self) -> None:
        """Give back its handles. May be called twice."""
