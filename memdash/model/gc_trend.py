"""Whether the collector has more and more to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from memdash.model.missing import Maybe

__all__ = ["Course", "GcTrend", "Tendency"]


class Course(Enum):
    """Which way a figure goes, as the JSON document calls it."""

    RISES = "rises"
    FALLS = "falls"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Tendency:
    """Where the line through a figure begins and ends, in its unit; it is STEADY where chance could have done that.

    ``window_s`` is how long it has been watched.
    """

    before: float
    now: float
    window_s: float
    course: Course

    @property
    def is_steady(self) -> bool:
        """Whether there is nothing to tell of it."""
        return self.course is Course.STEADY


@dataclass(frozen=True, slots=True, kw_only=True)
class GcTrend:
    """Each Missing where it cannot be told.

    ``pause_ns`` is the mean of a collection; ``cpu_ratio`` is of late, while GCCPUFraction is over the whole life.
    """

    collections_per_s: Maybe[Tendency]
    pause_ns: Maybe[Tendency]
    cpu_ratio: Maybe[Tendency]
    allocated_bytes_per_s: Maybe[Tendency]
