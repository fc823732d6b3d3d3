"""Memory budgets: each is a value that judges a whole watch, from its history and its last moment.

What is over a limit for a moment, or stays over it, is a Rule; a budget also says how much was left of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from memdash.analysis.budget import HELD, Budget, Watched, outcome, unknown, what_grew
from memdash.analysis.evidence import ahead_words, arrived
from memdash.analysis.growth import allocated, growths, rates
from memdash.analysis.known import left_out, not_known, not_read
from memdash.analysis.points import Basis
from memdash.analysis.rules import RATE_OVER_S, Condition, Op, Threshold
from memdash.model.capability import Capability
from memdash.model.check import Judgement, Outcome
from memdash.model.finding import Figure, Finding, NotYet
from memdash.model.metric import LIVE_HEAP, METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.series import watched_s
from memdash.model.verdict import VerdictKind
from memdash.units import Unit, clock_time, count, duration, signed

__all__ = [
    "Bound",
    "MostGrowth",
    "MostGrowthRate",
    "Never",
    "NoLeak",
    "NoNewTasks",
    "budget_of",
    "fitted",
    "followed",
    "judged",
]

_FOR_LONGER = "watch for longer"
_LONGER = f"{_FOR_LONGER}, or have it collect more often"


def budget_of(rule: Threshold) -> Budget:
    """The budget that is broken where a rule finds something: one that knows how much is left, where there is one."""
    when = rule.when
    called = "" if rule.name == str(when) else rule.name
    if when.grows and when.op.is_upper and when.metric == LIVE_HEAP and not when.over_s and not when.for_s:
        return MostGrowthRate(when, called) if when.per_s else MostGrowth(when, called)
    if not when.grows and not when.for_s:
        return Bound(rule, called)
    return Never(rule)


def fitted(rule: Threshold, watch_s: float) -> Threshold:
    """A rate that says no window is judged over half the watch, where that is shorter than the usual one."""
    when = rule.when
    if not when.per_s or when.over_s or watch_s >= 2 * RATE_OVER_S or isinstance(budget_of(rule), MostGrowthRate):
        return rule
    fits = replace(when, over_s=max(round(watch_s / 2), 1))
    return replace(rule, when=fits, name=str(fits) if rule.name == str(when) else rule.name)


def followed(budgets: Sequence[Budget]) -> list[Threshold]:
    """The rules whose findings they are judged by: to be checked at every moment of the watch."""
    return [
        budget.rule for budget in budgets if isinstance(budget, Never) or (isinstance(budget, Bound) and budget.logs)
    ]


def judged(budgets: Sequence[Budget], watched: Watched | NotYet) -> tuple[Judgement, ...]:
    """All of them, worst first: the broken ones by how far, what could not be judged, then the narrowest margin."""
    found = [
        unknown(budget, watched.why) if isinstance(watched, NotYet) else _fresh(budget, watched) for budget in budgets
    ]
    order = list(Outcome)

    def rank(judgement: Judgement) -> tuple[int, float]:
        margin = judgement.margin_ratio
        return order.index(judgement.outcome), math.inf if isinstance(margin, Missing) else margin

    return tuple(sorted(found, key=rank))


def _fresh(budget: Budget, watched: Watched) -> Judgement:
    """What it makes of the watch; but what has not been read any more for a good part of it has kept to nothing."""
    found, shown = budget.judge(watched), watched.shown
    if found.outcome is not Outcome.PASSED:
        return found
    why = not_read(budget.reads, shown)
    return unknown(budget, why) if why else found


@dataclass(frozen=True, slots=True)
class Bound:
    """A metric must at no moment be beyond a bound."""

    rule: Threshold
    called: str = ""
    required: bool = True

    @property
    def condition(self) -> Condition:
        """What must not be."""
        return self.rule.when

    @property
    def logs(self) -> bool:
        """Whether what the rule has found breaks it, too: a history only goes back to where another source began.

        Too little may have been what the other did not tell; and what is told of a time may be that of the warm-up.
        """
        return self.condition.op.is_upper and not self.condition.of.covers_s

    @property
    def name(self) -> str:
        """``HeapAlloc at most 512MiB``, unless it is called something else."""
        return self.called or f"{self.condition.of.name} {_allowed(self.condition)}"

    @property
    def reads(self) -> frozenset[Capability]:
        """That of its metric."""
        return frozenset({self.condition.of.capability})

    def judge(self, watched: Watched) -> Judgement:
        """Look for the worst value, also between two buckets of the history, and before its source changed."""
        judgement, found = self._of_history(watched), _worst(watched, self.rule)
        if judgement.outcome is Outcome.FAILED or not self.logs or found is None or found.worst is None:
            return judgement
        why, limit = f"at {clock_time(found.at_s)}: {found.summary}", found.worst.at(self.condition.bound)
        return replace(judgement, outcome=Outcome.FAILED, why=why, value=found.worst, limit=limit)

    def _of_history(self, watched: Watched) -> Judgement:
        shown, condition = watched.shown, self.condition
        metric, history = condition.of, watched.shown.history
        series = history.series(metric.key, watched_s(history) - metric.covers_s)
        values = series.high if condition.op.is_upper else series.low
        known = [(value, at_s) for value, at_s in zip(values, series.seen_s, strict=True) if not math.isnan(value)]
        gone = not_known(metric, shown)
        if not known:
            if gone:
                return unknown(self, gone)
            seen_s = duration(watched_s(history))
            if metric.covers_s:
                return unknown(self, f"it covers {duration(metric.covers_s)}, and {seen_s} were watched: {_FOR_LONGER}")
            return unknown(self, f"{metric.label} is not known")
        worst, at_s = max(known) if condition.op.is_upper else min(known)
        is_broken = condition.op.holds(worst, condition.bound)
        if gone and not is_broken:
            return unknown(self, gone)
        value = Figure(worst, metric.unit, sinks=not condition.op.is_upper)
        at = clock_time(shown.at.wall_s - (shown.at.mono_s - at_s))
        return Judgement(
            name=self.name,
            outcome=outcome(broken=is_broken),
            why=f"{'highest' if condition.op.is_upper else 'lowest'} at {at}{left_out(metric, shown)}",
            required=self.required,
            value=value,
            limit=value.at(condition.bound),
        )


@dataclass(frozen=True, slots=True)
class _Growth:
    """The live heap, or else what is resident, must not grow beyond a bound."""

    condition: Condition
    called: str = ""
    required: bool = True

    @property
    def name(self) -> str:
        """``growth at most 64MiB``, unless it is called something else."""
        return self.called or f"growth {_allowed(self.condition)}"

    @property
    def reads(self) -> frozenset[Capability]:
        """Whatever may tell what is held."""
        return HELD

    def _judged(self, watched: Watched, value: Figure, why: str, *, broken: bool) -> Judgement:
        return Judgement(
            name=self.name,
            outcome=outcome(broken=broken),
            why=why,
            required=self.required,
            value=value,
            limit=value.at(self.condition.bound),
            evidence=(*ahead_words(watched.shown), *what_grew(watched)) if broken else (),
        )


@dataclass(frozen=True, slots=True)
class MostGrowth(_Growth):
    """It must not grow by more than so many bytes over the watch."""

    def judge(self, watched: Watched) -> Judgement:
        """Whichever grew most; where too few collections ran, what was allocated in all may tell enough."""
        found = growths(watched.shown.history)
        if isinstance(found, NotYet):
            most = allocated(watched.shown.history)
            if most is None or most > self.condition.bound:
                return unknown(self, f"{found.why}: {_LONGER}")
            why, grown_bytes = "allocated in all, dead or alive", most
        else:
            largest = max(found, key=lambda growth: growth.bytes)
            why, grown_bytes = largest.words, largest.bytes
        broken = self.condition.op.holds(grown_bytes, self.condition.bound)
        return self._judged(watched, Figure(grown_bytes, Unit.BYTES, signed=True), why, broken=broken)


@dataclass(frozen=True, slots=True)
class MostGrowthRate(_Growth):
    """It must not rise faster than so many bytes in a time."""

    def judge(self, watched: Watched) -> Judgement:
        """The steepest line. One that may as well be level breaks no budget, however steep it looks."""
        found, condition = rates(watched.shown.history), self.condition
        if isinstance(found, NotYet):
            return unknown(self, f"{found.why}: {_LONGER}")
        steepest = max(found, key=lambda rate: (rate.is_sure, rate.slope.per_s))
        slope = steepest.slope
        value = Figure(condition.per_s * slope.per_s, Unit.BYTES, condition.per, signed=True)
        is_beyond = condition.op.holds(value.value, condition.bound)
        why = f"{steepest.basis} over {duration(steepest.window_s)}"
        if slope.is_bounded:
            low, high = (signed(condition.per_s * end, Unit.BYTES) for end in (slope.low_per_s, slope.high_per_s))
            why += f", {low} to {high}{condition.per}"
        if is_beyond and not steepest.is_sure:
            why += ", no surer than its ups and downs"
        return self._judged(watched, value, why, broken=is_beyond and steepest.is_sure)


@dataclass(frozen=True, slots=True)
class NoNewTasks:
    """No goroutine, thread or asyncio task may come and stay."""

    name: str = "no new tasks"
    required: bool = True

    @property
    def reads(self) -> frozenset[Capability]:
        """The tasks."""
        return frozenset({Capability.TASKS})

    def judge(self, watched: Watched) -> Judgement:
        """See ``arrivals``."""
        found, tasks = watched.arrivals, watched.shown.sample.tasks
        if isinstance(found, NotYet):
            return unknown(self, tasks.words if isinstance(tasks, Missing) else found.why)
        number = sum(arrival.number for arrival in found)
        total = "" if isinstance(tasks, Missing) else f"{count(tasks.total)} at last"
        value = Figure(number, Unit.COUNT, signed=True)
        return Judgement(
            name=self.name,
            outcome=outcome(broken=number > 0),
            why=f"came and stayed, {total}" if number else total,
            required=self.required,
            value=value,
            limit=value.at(0),
            evidence=arrived(found),
        )


@dataclass(frozen=True, slots=True)
class NoLeak:
    """The verdict must not be that memory leaks. It takes minutes, so that a short watch does not come to one."""

    name: str = "no leak"
    required: bool = False

    @property
    def reads(self) -> frozenset[Capability]:
        """Whatever may tell what is held."""
        return HELD

    def judge(self, watched: Watched) -> Judgement:
        """What merely grows so far is not judged."""
        verdict = watched.shown.verdict
        if verdict is None:
            return unknown(self, "nothing has been judged")
        if verdict.kind in (VerdictKind.NOT_YET, VerdictKind.GROWING):
            return unknown(self, f"a verdict takes some minutes, so far it is {verdict.summary}")
        leaks, shown, why = verdict.kind is VerdictKind.LEAK, watched.shown, verdict.summary
        if not verdict.basis.startswith(Basis.RESIDENT.value):
            live = METRICS_BY_KEY[LIVE_HEAP]
            if not leaks and (gone := not_known(live, shown)):
                return unknown(self, f"{gone}; before that it was {why}")
            why += left_out(live, shown)
        return Judgement(
            name=self.name,
            outcome=outcome(broken=leaks),
            why=why,
            required=self.required,
            evidence=what_grew(watched) if leaks else (),
        )


@dataclass(frozen=True, slots=True)
class Never:
    """A rule must never have found anything."""

    rule: Threshold
    required: bool = True

    @property
    def name(self) -> str:
        """``never HeapAlloc > 512MiB for 30s``, by the name of the rule."""
        return f"never {self.rule.name}"

    @property
    def reads(self) -> frozenset[Capability]:
        """That of its metric."""
        return frozenset({self.rule.when.of.capability})

    def judge(self, watched: Watched) -> Judgement:
        """Look into the log; a rule that cannot tell yet at the end has not been kept to.

        Nobody knew how long a watch would be that ended before a rate had its usual window: then half of it counts.
        """
        worst = _worst(watched, self.rule)
        if worst is not None:
            found = sum(finding.rule == self.rule.name for finding in watched.shown.findings)
            times = f", {count(found)} times" if found > 1 else ""
            return Judgement(
                name=self.name,
                outcome=Outcome.FAILED,
                why=f"at {clock_time(worst.at_s)}{times}: {worst.summary}",
                required=self.required,
            )
        shown, history, metric = watched.shown, watched.shown.history, self.rule.when.of
        if gone := not_known(metric, shown):
            return unknown(self, gone)
        last, why = self.rule.check(history), "never so"
        fits = fitted(self.rule, watched_s(history))
        if isinstance(last, NotYet) and fits != self.rule:
            last, why = fits.check(history), f"not so over the last {duration(fits.when.over_s)}"
        if isinstance(last, NotYet):
            return unknown(self, last.why)
        if last is not None:
            return Judgement(name=self.name, outcome=Outcome.FAILED, why=last.summary, required=self.required)
        why += left_out(metric, shown)
        return Judgement(name=self.name, outcome=Outcome.PASSED, why=why, required=self.required)


_ALLOWED = {Op.OVER: "at most", Op.AT_LEAST: "below", Op.UNDER: "at least", Op.AT_MOST: "above"}


def _allowed(condition: Condition) -> str:
    return f"{_ALLOWED[condition.op]} {condition.bound_text(condition.bound)}"


def _worst(watched: Watched, rule: Threshold) -> Finding | None:
    """The gravest of what a rule has found, and of several the newest."""
    found = (finding for finding in watched.shown.findings if finding.rule == rule.name)
    return max(found, key=lambda finding: (finding.severity, finding.at_s), default=None)
