"""Reads what people write: a metric, how it is held against a bound, and clauses in any order after that.

    METRIC [growth] (> | >= | < | <=) VALUE[/PERIOD]
        [over TIME] [for TIME] [clear VALUE] [cooldown TIME] [info | warning | critical]

Nothing is evaluated: each word is looked up. An error says at which character what was not understood.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from memdash.analysis.rules.condition import RATE_OVER_S, Condition, Op
from memdash.analysis.rules.names import metric_named
from memdash.analysis.rules.rule import COOLDOWN_S
from memdash.analysis.rules.threshold import Threshold
from memdash.errors import UsageError
from memdash.model.finding import Severity
from memdash.model.metric import Kind, Metric
from memdash.model.series import REMEMBERED_S
from memdash.spelling import meant, nearest
from memdash.units import exact_span, parse_duration, parse_figure, parse_period

__all__ = ["parse_condition", "parse_rule"]

Value = TypeVar("Value")

_EXAMPLE = "write it like HeapAlloc > 512MiB for 30s, or tasks.total growth > 100/min"
_TOKEN = re.compile(r"[<>=]=?|[^\s<>=]+")
_OPS = {op.value: op for op in Op}
_SEVERITIES = {severity.name.lower(): severity for severity in (Severity.INFO, Severity.WARNING, Severity.CRITICAL)}
_TIMED, _VALUED = ("over", "for", "cooldown"), ("clear",)
_SEVERITY = "severity"
_CLAUSES = (*_TIMED, *_VALUED, *_SEVERITIES)
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the text, and where it begins."""

    text: str
    at: int


@dataclass(slots=True)
class _Words:
    """What is left of the text, word by word."""

    text: str
    left: list[_Word] = field(init=False)

    def __post_init__(self) -> None:
        self.left = [_Word(match[0], match.start()) for match in _TOKEN.finditer(self.text)]

    @property
    def next(self) -> str:
        """Empty at the end."""
        return self.left[0].text if self.left else ""

    @property
    def at(self) -> int:
        return self.left[0].at if self.left else len(self.text)

    def taken(self) -> str:
        return self.left.pop(0).text

    def until(self, stops: Sequence[str]) -> tuple[str, int]:
        """What was typed before the next of ``stops``, and where it begins: ``512 MiB`` is one value."""
        at, end = self.at, self.at
        while self.left and self.left[0].text not in stops:
            end = self.at + len(self.next)
            self.taken()
        return self.text[at:end], at

    def error(self, at: int, what: str, hint: str = _EXAMPLE) -> UsageError:
        return UsageError(f"{self.text!r}, character {at + 1}: {what}", hint)

    def read(self, parse: Callable[[str], Value], text: str, at: int) -> Value:
        """What ``text`` means; an error tells where it stands. A word in it may have been meant to end it."""
        try:
            return parse(text)
        except UsageError as error:
            for word in list(_TOKEN.finditer(text))[1:]:
                if guess := nearest(word[0], _CLAUSES):
                    raise self.error(
                        at + word.start(), f"{word[0]!r} means nothing here", f"did you mean {guess}?"
                    ) from None
            raise self.error(at, error.what, error.hint) from None


def parse_condition(text: str) -> Condition:
    """Read ``HeapAlloc > 512MiB for 30s`` alone, without the clauses that say what becomes of it. Raises UsageError."""
    words = _Words(text)
    condition = _condition(words)
    said = _clauses(words, condition, ("over", "for"))
    return _timed(words, condition, said)


def parse_rule(text: str, name: str = "", more: Sequence[tuple[str, str]] = ()) -> Threshold:
    """Read a rule: a condition, and when it ends, how soon it may be told again, how bad it is. Raises UsageError.

    Without a name it is called what its condition is. ``more`` are clauses that stand elsewhere, by their words; that
    of a severity is ``severity``.
    """
    words = _Words(text)
    condition = _condition(words)
    said = _clauses(words, condition, _CLAUSES)
    for clause, value in more:
        apart = _Words(value if clause == _SEVERITY else f"{clause} {value}")
        allowed = tuple(_SEVERITIES) if clause == _SEVERITY else (clause,)
        for key, meaning in _clauses(apart, condition, allowed).items():
            if key in said:
                raise apart.error(0, f"{key} is said twice", f"it stands in {text!r} as well")
            said[key] = meaning
    condition = _timed(words, condition, said)
    return Threshold(
        name or str(condition),
        condition,
        Severity(int(said.get(_SEVERITY, Severity.WARNING))),
        said.get("cooldown", COOLDOWN_S),
        said.get("clear"),
    )


def _condition(words: _Words) -> Condition:
    """The metric, the operator and the bound."""
    if len(words.text) > _LONGEST:
        raise UsageError(f"{words.text[:40]!r}… is longer than any rule", _EXAMPLE)
    at, name = words.at, words.next
    if not name or name in _OPS:
        raise words.error(at, "a metric's name is missing")
    metric = words.read(metric_named, words.taken(), at)
    grows = words.next == "growth"
    if grows:
        words.taken()
    at, sign = words.at, words.next
    if sign not in _OPS:
        guess = "" if grows else nearest(sign, ["growth"])
        hint = f"did you mean {guess}?" if guess else _EXAMPLE
        raise words.error(at, f"expected > or <, and found {sign!r}" if sign else "expected > or <", hint)
    op = _OPS[words.taken()]
    text, at = words.until(_CLAUSES)
    if not text:
        raise words.error(at, f"expected a value after {op.value}")
    bound, per_s = _bound(words, metric, text, at)
    if per_s and not grows and metric.kind is Kind.GAUGE:
        raise words.error(at, f"{metric.name} is no counter", f"write {metric.name} growth {op.value} {text}")
    return Condition(metric.key, op, bound, grows or bool(per_s), per_s)


def _bound(words: _Words, metric: Metric, text: str, at: int) -> tuple[float, float]:
    """The value, and the seconds that it is per; 0 where it is no rate."""
    value, slash, period = text.partition("/")
    bound = words.read(lambda part: parse_figure(part, metric.unit), value.rstrip(), at)
    period = period.lstrip()
    return bound, words.read(parse_period, period, at + len(text) - len(period)) if slash else 0.0


def _clauses(words: _Words, condition: Condition, allowed: Sequence[str]) -> dict[str, float]:
    """What each clause says, by its word; that of a severity is ``severity``."""
    said: dict[str, float] = {}
    while words.left:
        at, clause = words.at, words.taken()
        if clause not in allowed:
            raise words.error(at, f"{clause!r} means nothing here", meant(clause, allowed, "what may follow is"))
        key = _SEVERITY if clause in _SEVERITIES else clause
        if key in said:
            raise words.error(at, f"{key} is said twice")
        if clause in _SEVERITIES:
            said[key] = float(_SEVERITIES[clause])
            continue
        text, value_at = words.until(_CLAUSES)
        if not text:
            raise words.error(value_at, f"expected a {'time' if clause in _TIMED else 'value'} after {clause}")
        if clause in _TIMED:
            said[clause] = words.read(parse_duration, text, value_at)
        else:
            said[clause] = _cleared(words, condition, text, value_at)
        if clause == "over" and not condition.grows:
            raise words.error(at, "only growth is over a time", f"write {condition.of.name} growth, or for {text}")
    return said


def _cleared(words: _Words, condition: Condition, text: str, at: int) -> float:
    clear, per_s = _bound(words, condition.of, text, at)
    if per_s != condition.per_s:
        raise words.error(at, f"{text!r} is not of the kind of {condition.bound_text(condition.bound)}")
    if clear != condition.bound and condition.op.holds(clear, condition.bound):
        raise words.error(
            at, f"it would never begin: it ends at {text} and begins at {condition.bound_text(condition.bound)}"
        )
    return clear


def _timed(words: _Words, condition: Condition, said: dict[str, float]) -> Condition:
    """With the times that it must be watched for, which must not be more than anything is remembered for."""
    over_s, for_s = said.get("over", RATE_OVER_S if condition.per_s else 0.0), said.get("for", 0.0)
    if over_s + for_s > REMEMBERED_S:
        looks_back = " and ".join(exact_span(span_s) for span_s in (over_s, for_s) if span_s)
        raise UsageError(
            f"{words.text!r} would never be found: it looks back {looks_back}, and {exact_span(REMEMBERED_S)} is all "
            "that is remembered",
            f"over and for may be {exact_span(REMEMBERED_S)} together",
        )
    return replace(condition, over_s=said.get("over", 0.0), for_s=for_s)
