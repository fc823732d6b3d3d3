"""Forcing collections before a limit is reached: when it is to be done, and how that stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from memdash.model.missing import Maybe, Missing

__all__ = ["OVER_LIMIT", "Ceiling", "GcAt", "Relief"]

OVER_LIMIT = "memory limit"
"""The name under which it is found that memory stays over its limit whatever is collected."""

_WHATEVER_IS_FOUND = Missing("the nearest of the limits that the target lives under counts")


class Ceiling(NamedTuple):
    """A limit that memory must stay under, and how much counts against it now. ``limit_bytes`` is above 0."""

    name: str
    used_bytes: int
    limit_bytes: int

    @property
    def ratio(self) -> float:
        """How much of it is in use; 1 and more is over."""
        return self.used_bytes / self.limit_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GcAt:
    """One collection once so much of the limit is in use, two in a row at all of it, none within ``cooldown_s``.

    ``limit_bytes`` takes the place of the limits that the target is found to live under.
    """

    ratio: float
    cooldown_s: float = 30.0
    limit_bytes: Maybe[int] = _WHATEVER_IS_FOUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Relief:
    """How it stands: the nearest limit, and what forcing a collection does to the target, or why it cannot be done.

    ``rounds`` counts how often it was done; ``wait_s`` is the time between two that holds now, longer than what was
    asked for after some that brought nothing.
    """

    plan: GcAt
    ceiling: Maybe[Ceiling]
    way: Maybe[str]
    rounds: int
    wait_s: float
