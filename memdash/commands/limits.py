"""``--max``, ``--max-growth``, ``--alert``, ``--mute`` and the rules that always hold, as values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from memdash.analysis.rules import (
    Condition,
    Op,
    Rule,
    Threshold,
    default_rules,
    metric_named,
    parse_condition,
    parse_rule,
)
from memdash.analysis.verdict_words import RULE as VERDICT
from memdash.commands.options import gathered, place
from memdash.config import AlertText, Limit, MostGrowth
from memdash.errors import UsageError, told_where
from memdash.model.finding import NOTES
from memdash.model.relief import OVER_LIMIT
from memdash.spelling import meant
from memdash.units import parse_figure

__all__ = ["Alerting", "alert_options", "condition_of_growth", "condition_of_limit", "rules_named", "spellings"]

_PER_S = (60.0, 1.0, 3600.0, 86_400.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """What to alert on, as flags, variables and the file have it."""

    max: Sequence[Limit] = ()
    max_growth: Sequence[MostGrowth] = ()
    alert: Sequence[AlertText] = ()
    mute: Sequence[str] = ()

    @property
    def is_asked(self) -> bool:
        """Whether anything was said that is not usual."""
        return bool(self.max or self.max_growth or self.alert or self.mute)

    @property
    def asked(self) -> tuple[Threshold, ...]:
        """The rules asked for, each once. Raises UsageError for what makes no sense."""
        conditions = dict.fromkeys((*map(condition_of_growth, self.max_growth), *map(condition_of_limit, self.max)))
        asked = {str(condition): Threshold(str(condition), condition) for condition in conditions}
        for alert in self.alert:
            rule = _rule(alert)
            if rule.name in (VERDICT, OVER_LIMIT, NOTES) or asked.get(rule.name, rule) != rule:
                raise UsageError(f"{alert.where}: {rule.name!r} is another rule's name", "give it a name of its own")
            asked[rule.name] = rule
        return tuple(asked.values())

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All that is checked: what is asked for, and what always holds but for what is called the same.

        Raises UsageError for what makes no sense.
        """
        asked = self.asked
        names = {rule.name for rule in asked}
        return (*(rule for rule in default_rules() if rule.name not in names), *asked)

    @property
    def muted(self) -> tuple[str, ...]:
        """The names of those that do not count. Raises UsageError where there is no such rule."""
        return rules_named(self.mute, [*(rule.name for rule in self.rules), VERDICT, OVER_LIMIT], place("mute"))


def rules_named(names: Sequence[str], known: Sequence[str], where: str) -> tuple[str, ...]:
    """The same names as the rules bear them. Raises UsageError where none does; ``where`` says where it was found."""
    return tuple(_rule_named(name, known, where) for name in names)


def _rule_named(name: str, known: Sequence[str], where: str) -> str:
    for spelled in spellings(name):
        if spelled in known:
            return spelled
    raise UsageError(f"{where}: there is no rule {name!r}", meant(name, known, "the rules are"))


def spellings(name: str) -> tuple[str, ...]:
    """The name of a rule, and that of one that is called what its condition is: it can be written in many ways."""
    with suppress(UsageError):
        return name, str(parse_condition(name))
    return (name,)


def _rule(alert: AlertText) -> Threshold:
    with told_where(alert.where):
        return parse_rule(alert.when, alert.name, alert.said)


def condition_of_growth(growth: MostGrowth) -> Condition:
    """What ``--max-growth`` finds fault with, in bytes a minute or in the time that makes whole ones of it."""
    if not growth.is_rate:
        return Condition("heap.live_bytes", Op.OVER, growth.bytes, grows=True)
    bounds = {per_s: growth.bytes * per_s for per_s in _PER_S}
    whole = [per_s for per_s, bound in bounds.items() if math.isclose(bound, round(bound), rel_tol=1e-9)]
    per_s = (whole or _PER_S)[0]
    return Condition("heap.live_bytes", Op.OVER, float(round(bounds[per_s])), grows=True, per_s=per_s)


def condition_of_limit(limit: Limit) -> Condition:
    """What ``--max`` finds fault with. Raises UsageError for what names no metric."""
    with told_where(limit.where):
        metric = metric_named(limit.metric)
        with told_where(metric.name):
            return Condition(metric.key, Op.OVER, parse_figure(limit.value, metric.unit))


alert_options = gathered(Alerting, "alerting")
"""Give a command the options of alerts; it gets one ``alerting`` instead."""
