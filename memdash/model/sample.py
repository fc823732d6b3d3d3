"""What one probe returned, and what all of them said at one tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from memdash.model.capability import Capability, Source
from memdash.model.family import Family
from memdash.model.gc import GcStats
from memdash.model.malloc import Malloc
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing
from memdash.model.objects import Objects
from memdash.model.profile import Profile
from memdash.model.residence import Arenas, Mappings
from memdash.model.system import Smaps, SystemStats
from memdash.model.tasks import Tasks

__all__ = ["CAPABILITY_OF", "Fact", "Instant", "Origin", "ProbeCost", "Reading", "Sample"]

Fact: TypeAlias = (
    MemStats | GcStats | SystemStats | Smaps | Mappings | Arenas | Profile | Tasks | Objects | Malloc | Family
)
"""Anything a probe can read; its type tells which capability it answers."""

CAPABILITY_OF: Mapping[type[Fact], Capability] = {
    MemStats: Capability.MEMSTATS,
    GcStats: Capability.GC,
    SystemStats: Capability.SYSTEM,
    Smaps: Capability.SMAPS,
    Mappings: Capability.MAPPINGS,
    Arenas: Capability.ARENAS,
    Profile: Capability.SITES,
    Tasks: Capability.TASKS,
    Objects: Capability.OBJECTS,
    Malloc: Capability.MALLOC,
    Family: Capability.FAMILY,
}


class Instant(NamedTuple):
    """One moment on both clocks: wall (Unix time) for people, monotonic for arithmetic. Seconds."""

    wall_s: float
    mono_s: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What one probe returned: one or more facts, where from, and words about their quality.

    ``caveats`` are short clauses shown beside the figures, such as ``"a GC was running while it was read"``.
    ``pending`` says, when there is more to be read before a fact comes of it, how far that is:
    ``"a third of the objects has been counted"``. ``absent`` says why there is no fact now, and takes the place of what
    was read before: for what a target may begin and stop doing.
    """

    source: Source
    facts: tuple[Fact, ...]
    caveats: tuple[str, ...] = ()
    pending: str = ""
    absent: Missing | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when a fact of the sample was read; ``failing`` says why newer attempts did not succeed."""

    source: Source
    at: Instant
    caveats: tuple[str, ...] = ()
    failing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCost:
    """What a probe costs memdash: CPU time of its reads over the newest readings, and the pace it is kept to."""

    reads: int
    median_s: float
    p99_s: float
    cadence_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The readings of one tick, joined.

    Each fact stands under its capability's value: a field for every entry of ``CAPABILITY_OF``. A fact older than the
    tick keeps its own instant in ``origins``.
    """

    at: Instant
    memstats: Maybe[MemStats]
    gc: Maybe[GcStats]
    system: Maybe[SystemStats]
    smaps: Maybe[Smaps]
    mappings: Maybe[Mappings]
    arenas: Maybe[Arenas]
    sites: Maybe[Profile]
    tasks: Maybe[Tasks]
    objects: Maybe[Objects]
    malloc: Maybe[Malloc]
    family: Maybe[Family]
    origins: Mapping[Capability, Origin] = field(default_factory=dict)
    costs: Mapping[str, ProbeCost] = field(default_factory=dict)

    def is_fresh(self, capability: Capability) -> bool:
        """Whether it has this fact and nothing newer failed to be read: what is only remembered is not."""
        origin = self.origins.get(capability)
        return origin is not None and not origin.failing

    @property
    def counts_small_alone(self) -> bool:
        """Whether HeapAlloc counts what CPython's own allocator holds alone: nobody tells malloc's part."""
        if isinstance(self.memstats, Missing) or isinstance(self.memstats.HeapSmall, Missing):
            return False
        return isinstance(self.malloc, Missing) or isinstance(self.malloc.in_use_bytes, Missing)

    @classmethod
    def empty(cls, at: Instant, why: Missing) -> Sample:
        """A sample in which nothing is known yet."""
        values: dict[str, Any] = {capability.value: why for capability in CAPABILITY_OF.values()}
        return cls(at=at, **values)
