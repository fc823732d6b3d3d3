"""``--max`` and ``--max-growth`` as rules."""

from __future__ import annotations

import math
from collections.abc import Sequence

from memdash.analysis.rules import Growing, Over, Rule, default_rules
from memdash.config import Limit, nearest
from memdash.errors import UsageError
from memdash.model.metric import METRICS_BY_KEY
from memdash.units import Unit, parse_bytes, parse_duration

__all__ = ["rules_for"]

_GROWTH = "heap growth"
"""The default rule that ``--max-growth`` takes the place of."""


def rules_for(limits: Sequence[Limit], max_growth_per_s: float | None) -> tuple[Rule, ...]:
    """The rules that always hold, and one for each limit. Raises UsageError for what names no metric."""
    rules = [rule for rule in default_rules() if max_growth_per_s is None or rule.name != _GROWTH]
    if max_growth_per_s is not None:
        rules.append(Growing(_GROWTH, "heap.live_bytes", max_growth_per_s))
    return (*rules, *map(_over, limits))


def _over(limit: Limit) -> Over:
    metric = METRICS_BY_KEY.get(limit.metric)
    if metric is None:
        guess = nearest(limit.metric, list(METRICS_BY_KEY))
        hint = f"did you mean {guess}?" if guess else f"the metrics are {', '.join(METRICS_BY_KEY)}"
        raise UsageError(f"--max: there is no metric {limit.metric!r}", hint)
    try:
        value = _value(limit.value, metric.unit)
    except UsageError as error:
        raise UsageError(f"--max {metric.key}: {error.what}", error.hint) from None
    return Over(f"max {metric.key}", metric.key, value)


def _value(text: str, unit: Unit) -> float:
    """Read a limit in its metric's unit: 512MiB, 20ms, 90%, 200."""
    match unit:
        case Unit.BYTES:
            return parse_bytes(text)
        case Unit.NANOSECONDS:
            return parse_duration(text) * 1e9
        case Unit.SECONDS:
            return parse_duration(text)
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{text!r} is not a number", "write it like 200 or 90%")
    return number / 100 if unit is Unit.RATIO and text.endswith("%") else number
