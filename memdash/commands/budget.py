"""The budgets of a check as a person gives them: flags, or a file that can be reviewed and kept beside the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from json import dumps
from pathlib import Path

import click

from memdash.analysis.budget import Budget
from memdash.analysis.budgets import NoLeak, NoNewTasks, budget_of, fitted
from memdash.analysis.rules import COOLDOWN_S, Threshold
from memdash.analysis.verdict_words import RULE as VERDICT
from memdash.commands.limits import Alerting, condition_of_growth, condition_of_limit
from memdash.commands.options import take_file
from memdash.config_file import load_file
from memdash.errors import UsageError
from memdash.model.finding import Severity
from memdash.units import exact_span

__all__ = ["FOR_S", "Plan", "budget_option"]

FOR_S = 60.0
"""How long a process is watched after the warm-up, unless --duration says otherwise."""

_RANK = 1
"""Above the user's own configuration, below variables and flags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Alerting):
    """What a check holds a program to, and for how long. The fields are settings; ``duration`` may be left open.

    An alert that is muted, or that merely informs, counts for nothing here as elsewhere.
    """

    no_new_tasks: bool = False
    no_leak: bool = True
    warm_up: float = 10.0
    duration: float | None = None
    interval: float = 1.0
    force_gc: bool = False
    strict: bool = False

    def budgets(self, watch_s: float | None) -> tuple[Budget, ...]:
        """Those that are asked for, of a watch that is so long, or of one without an end.

        Raises UsageError for what makes no sense.
        """
        muted = self.muted
        asked = [rule for rule in self.asked if rule.name not in muted and rule.severity >= Severity.WARNING]
        fitting = asked if watch_s is None else [fitted(rule, watch_s) for rule in asked]
        wanted = [*map(budget_of, fitting)]
        wanted += [NoNewTasks()] if self.no_new_tasks else []
        wanted += [NoLeak()] if self.no_leak and VERDICT not in muted else []
        budgets: dict[str, Budget] = {}
        for budget in wanted:
            if budgets.setdefault(budget.name, budget) != budget:
                raise UsageError(f"two budgets are called {budget.name!r}", "give the alert another name")
        return tuple(budgets.values())

    def lines(self) -> Iterator[str]:
        """The file that says the same, without line ends."""
        levels, growths = map(condition_of_limit, self.max), map(condition_of_growth, self.max_growth)
        yield "# memdash check --budget FILE holds a program to this; memdash check --help explains each"
        yield f"warm-up = {_text(exact_span(self.warm_up) if self.warm_up else '0s')}"
        if self.duration is not None:
            yield f"duration = {_text(exact_span(self.duration))}"
        yield f"interval = {_text(exact_span(self.interval))}"
        yield f"max = {_list([f'{level.of.name}={level.bound_text(level.bound)}' for level in levels])}"
        yield f"max-growth = {_list([growth.bound_text(growth.bound) for growth in growths])}"
        if self.mute:
            yield f"mute = {_list(self.mute)}"
        for switch in (field.name for field in fields(Plan) if isinstance(field.default, bool)):
            yield f"{switch.replace('_', '-')} = {str(getattr(self, switch)).lower()}"
        for rule in Alerting(alert=self.alert).asked:
            yield from ("", "[[alert]]", *_alert_lines(rule))


def _alert_lines(rule: Threshold) -> Iterator[str]:
    """What stands in the table of an alert."""
    yield f"when = {_text(str(rule.when))}"
    if rule.name != str(rule.when):
        yield f"name = {_text(rule.name)}"
    if rule.severity is not Severity.WARNING:
        yield f"severity = {_text(rule.severity.name.lower())}"
    if rule.clear is not None:
        yield f"clear = {_text(rule.when.bound_text(rule.clear))}"
    if rule.cooldown_s != COOLDOWN_S:
        yield f"cooldown = {_text(exact_span(rule.cooldown_s))}"


_KEYS = tuple(field.name.replace("_", "-") for field in fields(Plan))


def _load(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None and not ctx.resilient_parsing:
        path = Path(value)
        take_file(ctx, _RANK, path, load_file(path, _KEYS, "--budget"), _KEYS)


budget_option = click.option(
    "--budget",
    metavar="FILE",
    envvar="MEMDASH_BUDGET",
    is_eager=True,
    expose_value=False,
    callback=_load,
    help="Read the budgets from this file. A flag outranks the same key in it; --print-budget writes such a file.",
)


def _text(text: str) -> str:
    """A basic string of TOML: JSON's are, but for the one control character that JSON lets stand."""
    return dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"
