"""``--max`` and ``--max-growth`` as rules."""

from __future__ import annotations

import math
from collections.abc import Sequence

from memdash.analysis.rules import GrowingFast, Grown, Over, Rule, default_rules
from memdash.config import Growth, Limit, nearest
from memdash.errors import UsageError
from memdash.model.metric import METRICS_BY_KEY
from memdash.units import Unit, byte_size, parse_bytes, parse_duration

__all__ = ["rules_for"]


def rules_for(limits: Sequence[Limit], growths: Sequence[Growth]) -> tuple[Rule, ...]:
    """The rules that always hold, and one for each limit. Raises UsageError for what names no metric."""
    return (*default_rules(), *map(_growth, growths), *map(_over, limits))


def _growth(growth: Growth) -> Rule:
    if growth.is_rate:
        return GrowingFast(f"max growth {byte_size(60 * growth.bytes)}/min", growth.bytes)
    return Grown(f"max growth {byte_size(growth.bytes)}", growth.bytes)


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
