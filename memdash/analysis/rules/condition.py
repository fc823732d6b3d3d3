"""What a rule asks of a metric, as a value: ``HeapAlloc > 512MiB for 30s``, ``tasks.total growth > 100/min``."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from memdash.model.metric import METRICS_BY_KEY, Metric
from memdash.units import PERIODS, exact, exact_span

__all__ = ["RATE_OVER_S", "Condition", "Op"]

RATE_OVER_S = 120.0
"""The window of a rate of growth for which none is said."""


class Op(Enum):
    """How a figure is held against the bound. The value is how it is written."""

    OVER = ">"
    AT_LEAST = ">="
    UNDER = "<"
    AT_MOST = "<="

    @property
    def holds(self) -> Callable[[float, float], bool]:
        """Whether a figure, the first, is beyond the bound, the second."""
        return _HOLDS[self]

    @property
    def is_upper(self) -> bool:
        """More is worse."""
        return self in (Op.OVER, Op.AT_LEAST)

    @property
    def word(self) -> str:
        """In a sentence: 600 MiB over 512 MiB."""
        return "over" if self.is_upper else "under"


_HOLDS = {Op.OVER: operator.gt, Op.AT_LEAST: operator.ge, Op.UNDER: operator.lt, Op.AT_MOST: operator.le}


@dataclass(frozen=True, slots=True)
class Condition:
    """``bound`` is in the unit of the metric named ``metric``; ``str`` writes what ``parse_condition`` reads.

    With ``grows`` it is the growth that counts: in ``per_s`` seconds where that is not 0, judged over the last
    ``over_s`` (0: ``RATE_OVER_S``); else all growth within the last ``over_s`` (0: since the baseline). It must hold
    without a break for ``for_s``.
    """

    metric: str
    op: Op
    bound: float
    grows: bool = False
    per_s: float = 0.0
    over_s: float = 0.0
    for_s: float = 0.0

    @property
    def of(self) -> Metric:
        """The metric itself."""
        return METRICS_BY_KEY[self.metric]

    @property
    def per(self) -> str:
        """``/min`` where it is a rate, else nothing."""
        return f"/{dict(PERIODS)[self.per_s]}" if self.per_s else ""

    def bound_text(self, bound: float) -> str:
        """A bound as it is written: ``512MiB``, ``100/min``."""
        return f"{exact(bound, self.of.unit)}{self.per}"

    def __str__(self) -> str:
        parts = [self.of.name, *(["growth"] if self.grows else []), self.op.value, self.bound_text(self.bound)]
        parts += [f"over {exact_span(self.over_s)}"] if self.over_s else []
        parts += [f"for {exact_span(self.for_s)}"] if self.for_s else []
        return " ".join(parts)
