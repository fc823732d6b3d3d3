"""``--max``, ``--max-growth`` and the rules that always hold, as values."""

from __future__ import annotations

from collections.abc import Sequence

from memdash.analysis.rules import Condition, Op, Rule, Threshold, default_rules, metric_named
from memdash.config import Growth, Limit
from memdash.errors import UsageError
from memdash.units import parse_figure

__all__ = ["rules_for"]


def rules_for(limits: Sequence[Limit], growths: Sequence[Growth]) -> tuple[Rule, ...]:
    """The rules that always hold, and one for each limit. Raises UsageError for what names no metric."""
    conditions = dict.fromkeys((*map(_growth, growths), *map(_over, limits)))
    return (*default_rules(), *(Threshold(str(condition), condition) for condition in conditions))


def _growth(growth: Growth) -> Condition:
    per_s = 60.0 if growth.is_rate else 0.0
    return Condition("heap.live_bytes", Op.OVER, growth.bytes * (per_s or 1.0), grows=True, per_s=per_s)


def _over(limit: Limit) -> Condition:
    said = "--max"
    try:
        metric = metric_named(limit.metric)
        said = f"--max {metric.key}"
        return Condition(metric.key, Op.OVER, parse_figure(limit.value, metric.unit))
    except UsageError as error:
        raise UsageError(f"{said}: {error.what}", error.hint) from None
