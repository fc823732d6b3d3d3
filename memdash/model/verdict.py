"""What a watch makes of the memory it has seen: is it leaking, how fast, from where, when does it hit the wall."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from memdash.model.finding import Severity

__all__ = ["Forecast", "Grower", "Slope", "Verdict", "VerdictKind"]


class VerdictKind(Enum):
    """The value is the word on screen and in the JSON document."""

    LEAK = "leak"
    GROWING = "growing"
    WARM_UP = "warm-up"
    PLATEAU = "plateau"
    SAWTOOTH = "sawtooth"
    NOT_YET = "not enough data"

    @property
    def grows(self) -> bool:
        """Whether more is held than was, for whatever reason."""
        return self in (VerdictKind.LEAK, VerdictKind.GROWING, VerdictKind.WARM_UP)


class Slope(NamedTuple):
    """Growth in bytes per second: the likeliest, and the ends of its 95 % interval, infinite when nothing bounds it."""

    per_s: float
    low_per_s: float
    high_per_s: float

    @property
    def is_bounded(self) -> bool:
        """Whether both ends of the interval are known."""
        return math.isfinite(self.low_per_s) and math.isfinite(self.high_per_s)


@dataclass(frozen=True, slots=True)
class Forecast:
    """When growth at the slope's interval reaches the nearest limit: in ``soonest_s`` to ``latest_s`` from now.

    ``limit`` is what it is called. Where the slow end of the interval never gets there, nothing is forecast.
    """

    limit: str
    limit_bytes: int
    soonest_s: float
    latest_s: float


@dataclass(frozen=True, slots=True)
class Grower:
    """A site or a group of tasks that grew much: ``kind`` is ``site`` or ``task``; ``change`` in bytes or in tasks.

    ``name`` and ``place`` are the target's words.
    """

    kind: str
    name: str
    place: str
    change: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``summary`` is one sentence with its evidence, ``why`` the clause that decided it.

    ``at_s`` is the wall time since which it is of this kind; ``basis`` says what was judged, ``window_s`` for how long,
    ``points`` how many values, and ``cycles`` the collections meanwhile (0 where none are counted). Its line rose by
    ``growth_bytes`` to ``level_bytes``; ``slope`` is None before there is one. ``collector`` says what else speaks of
    pressure: that collections come more and more often, or take more and more of the CPU; empty where they do not.
    """

    kind: VerdictKind
    at_s: float
    why: str
    basis: str
    severity: Severity = Severity.INFO
    summary: str = ""
    slope: Slope | None = None
    window_s: float = 0.0
    points: int = 0
    cycles: int = 0
    level_bytes: float = 0.0
    growth_bytes: float = 0.0
    growers: tuple[Grower, ...] = ()
    collector: str = ""
    forecast: Forecast | None = None
