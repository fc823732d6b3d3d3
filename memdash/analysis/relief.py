"""When to force a collection before a limit is reached, and when to leave it: a Reliever watches one target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from math import inf
from typing import NamedTuple

from memdash.analysis.ceilings import counted, nearest, what_counts
from memdash.analysis.deeds import fall_bytes
from memdash.model.action import Action, Deed
from memdash.model.finding import Figure, Finding, NotYet, Severity
from memdash.model.missing import Maybe, Missing, known
from memdash.model.relief import OVER_LIMIT, Ceiling, GcAt, Relief
from memdash.model.sample import Sample
from memdash.units import Unit, byte_size, duration, things, whole_percent

__all__ = ["Looked", "Order", "Reliever"]

_SETTLED_S = 3.0
"""How long there may be no way before that is told: agents and endpoints take a moment to be found."""

_PATIENCE_S = 3600.0
"""A way that comes and goes is told of less and less often: each time it must have stayed as it is for twice as long,
up to so long; what has lasted for that is told at once when it changes."""

_GIVEN_BACK_S = 5.0
"""A runtime gives back what was freed little by little: before that nobody can say that it did not help."""

_LEAST_FREED = 0.01
_LONGEST_WAITS = 32
"""What lowered what counts against the limit by less than that part doubles the wait for the next one, up to so many
cooldowns: a heap of which much was freed is none the less as large to whoever enforces the limit."""

_NOBODY = Missing("nothing in this process can collect when asked", "memdash doctor PID says how it can be read")


class Order(NamedTuple):
    """What is to be done next, and why, as in ``force GC by CAUSE``."""

    action: Action
    cause: str


class Looked(NamedTuple):
    """What is made of one sample: a WARNING while memory is over its limit and nothing helps, and lines for the log."""

    finding: Finding | NotYet | None
    order: Order | None
    told: tuple[tuple[str, Severity], ...]


class _Step(Enum):
    ONE = 1
    TWO = 2


@dataclass(frozen=True, slots=True)
class _Round:
    """What is under way: the actions still to come, and what the others did.

    ``limit`` is the name of the one that it was begun for, ``least_bytes`` the least that has counted against it since.
    """

    step: _Step
    cause: str
    limit: str
    left: tuple[Action, ...]
    deeds: tuple[Deed, ...] = ()
    least_bytes: float = inf

    def since(self, sample: Sample) -> _Round:
        """The same, once more has been seen of what came of it."""
        now = counted(sample, self.limit)
        return self if isinstance(now, Missing) else replace(self, least_bytes=min(self.least_bytes, now))

    @property
    def has_helped(self) -> bool:
        """Whether a collection has lowered what counts."""
        before = known(counted(self.deeds[0].before, self.limit), 0)
        return self.collections > 0 and before - self.least_bytes >= _LEAST_FREED * before

    @property
    def collections(self) -> int:
        """How many there have been."""
        return sum(deed.action is Action.FORCE_GC and not deed.failed for deed in self.deeds)

    @property
    def freed_bytes(self) -> int:
        """How much less there is than before the first: of heap or of RSS, whichever fell further."""
        first, last = self.deeds[0].before, self.deeds[-1].after
        return max(0, *(known(fall_bytes(first, last, key), 0) for key in ("HeapAlloc", "system.rss_bytes")))

    @property
    def words(self) -> str:
        """``2 forced collections freed 1.20 MiB``, and why no more was done."""
        freed = byte_size(self.freed_bytes) if self.freed_bytes else "nothing"
        number, last = self.collections, self.deeds[-1]
        told = [f"{things(number, 'forced collection')} freed {freed}"] if number else []
        if number and self.freed_bytes and not self.has_helped:
            what = what_counts(last.after, self.limit)
            told[0] += f", but {what} did not fall: forcing does not lower it"
        if isinstance(last.outcome, Missing):
            told.append(f"{last.action.value} failed: {last.outcome.why}")
        return ", then ".join(told)


class Reliever:
    """Orders one collection when the plan's share of the nearest limit is in use, two in a row at all of it.

    Each is followed by a trim where the target can do that. The two sizes of step rest on their own, so that the larger
    one never waits for the smaller; both rest for longer after a round that brought next to nothing. What a person
    forces counts as one. Knows no clock: the samples bring the time. Belongs to one thread.
    """

    def __init__(self, plan: GcAt) -> None:
        self._plan = plan
        self._rests_until_s = dict.fromkeys(_Step, -inf)
        self._round: _Round | None = None
        self._full: tuple[float, _Round] | None = None
        self._unsure: tuple[float, _Round] | None = None
        self._over_since_s = inf
        self._is_able: bool | None = None
        self._since_s = -inf
        self._told: bool | None = None
        self._settles_s = _SETTLED_S
        self._news: list[tuple[str, Severity]] = []
        self.standing = Relief(
            plan=plan, ceiling=Missing("not read yet"), way=_NOBODY, rounds=0, wait_s=plan.cooldown_s
        )

    def look(self, sample: Sample, offers: Mapping[Action, Maybe[str]]) -> Looked:
        """Take in a sample, and what can be done to the target now."""
        ceiling, way = nearest(sample, self._plan.limit_bytes), offers.get(Action.FORCE_GC, _NOBODY)
        self.standing = replace(self.standing, ceiling=ceiling, way=way)
        self._tell(sample.at.mono_s, ceiling, way)
        self._judge(sample)
        is_over = not isinstance(ceiling, Missing) and ceiling.ratio >= 1
        self._over_since_s = min(self._over_since_s, sample.at.mono_s) if is_over else inf
        order = None
        if not isinstance(ceiling, Missing) and not isinstance(way, Missing) and not _is_stopped(sample):
            order = self._begun(sample.at.mono_s, ceiling, offers)
        told, self._news = tuple(self._news), []
        return Looked(self._over(sample, ceiling, way), order, told)

    def heard(self, deed: Deed) -> Order | None:
        """Take in what was done to the target, by whomever; what is to follow at once."""
        at_s = deed.after.at.mono_s
        if self._round is None or deed.cause != self._round.cause:
            if deed.action is Action.FORCE_GC and not deed.failed:
                self._rest(_Step.ONE, at_s)
            return None
        self._round = replace(self._round, deeds=(*self._round.deeds, deed))
        if self._round.left and not deed.failed:
            return self._next(self._round)
        self._end(self._round, at_s)
        return None

    def _begun(self, now_s: float, ceiling: Ceiling, offers: Mapping[Action, Maybe[str]]) -> Order | None:
        if self._round is not None or ceiling.ratio < self._plan.ratio:
            return None
        step = _Step.TWO if ceiling.ratio >= 1 else _Step.ONE
        if now_s < self._rests_until_s[step]:
            return None
        trims = not isinstance(offers.get(Action.TRIM, _NOBODY), Missing)
        actions = (*step.value * (Action.FORCE_GC,), *((Action.TRIM,) if trims else ()))
        cause = f"gc-at, {whole_percent(ceiling.ratio)} of {ceiling.name} in use"
        return self._next(_Round(step, cause, ceiling.name, actions))

    def _next(self, under_way: _Round) -> Order:
        action, *left = under_way.left
        self._round = replace(under_way, left=tuple(left))
        return Order(action, under_way.cause)

    def _end(self, done: _Round, at_s: float) -> None:
        self._round = None
        done = done.since(done.deeds[-1].after)
        rounds, wait_s = self.standing.rounds + (1 if done.collections else 0), self._plan.cooldown_s
        if not done.has_helped:
            wait_s = min(2 * self.standing.wait_s, _LONGEST_WAITS * wait_s)
        self.standing = replace(self.standing, rounds=rounds, wait_s=wait_s)
        self._unsure = None if done.has_helped else (at_s, done)
        if done.step is _Step.TWO:
            since_s = at_s if self._full is None or self._full[0] < self._over_since_s else self._full[0]
            self._full = (since_s, done)
            self._rest(_Step.TWO, at_s)
        self._rest(_Step.ONE, at_s)

    def _judge(self, sample: Sample) -> None:
        """Whether the last round helped after all, as long as what it freed may still be given back."""
        if self._unsure is None:
            return
        ended_s, before = self._unsure
        done = before.since(sample)
        self._unsure = (ended_s, done)
        if self._full is not None and self._full[1] is before:
            self._full = (self._full[0], done)
        if done.has_helped:
            self._unsure, self.standing = None, replace(self.standing, wait_s=self._plan.cooldown_s)
            for step, until_s in self._rests_until_s.items():
                self._rests_until_s[step] = min(until_s, ended_s + self._plan.cooldown_s)
        elif sample.at.mono_s >= ended_s + _GIVEN_BACK_S:
            self._unsure = None
            came = done.words if done.collections else "no collection was forced"
            self._news.append((f"gc-at: {came}; the next not before {duration(self.standing.wait_s)}", Severity.INFO))

    def _rest(self, step: _Step, now_s: float) -> None:
        self._rests_until_s[step] = max(self._rests_until_s[step], now_s + self.standing.wait_s)

    def _over(self, sample: Sample, ceiling: Maybe[Ceiling], way: Maybe[str]) -> Finding | NotYet | None:
        if isinstance(ceiling, Missing):
            return NotYet(ceiling.why)
        if ceiling.ratio < 1:
            return None
        if isinstance(way, Missing) and sample.at.mono_s < self._since_s + _SETTLED_S:
            return NotYet("what could collect is still being looked for")
        if isinstance(way, Missing):
            tried, freed = f"no collection can be forced: {way.why}", 0
        elif self._full is None or self._is_tried(sample.at.mono_s, self._full[0]):
            return NotYet("it is being tried whether a collection helps")
        else:
            tried, freed = self._full[1].words, self._full[1].freed_bytes
        limit = byte_size(ceiling.limit_bytes)
        return Finding(
            rule=OVER_LIMIT,
            severity=Severity.WARNING,
            at_s=sample.at.wall_s,
            summary=f"{byte_size(ceiling.used_bytes)} in use, over {ceiling.name} of {limit}: {tried}",
            measured=Figure(ceiling.used_bytes, Unit.BYTES),
            evidence={
                "limit": ceiling.name,
                "used_bytes": ceiling.used_bytes,
                "limit_bytes": ceiling.limit_bytes,
                "freed_bytes": freed,
            },
        )

    def _is_tried(self, now_s: float, since_s: float) -> bool:
        """Whether what was done at the limit, first at ``since_s``, may still help; later rounds hide nothing."""
        return now_s < since_s + _GIVEN_BACK_S or (self._round is not None and since_s < self._over_since_s)

    def _tell(self, now_s: float, ceiling: Maybe[Ceiling], way: Maybe[str]) -> None:
        """That it can be done, and against which limit; that it cannot, and why. Each once it is sure to stay so."""
        is_able = not isinstance(ceiling, Missing) and not isinstance(way, Missing)
        if is_able is not self._is_able:
            if now_s - self._since_s >= _PATIENCE_S:
                self._settles_s = _SETTLED_S
            self._is_able, self._since_s = is_able, now_s
        waits_s = self._settles_s - _SETTLED_S if is_able else self._settles_s  # that it can be done needs no proof
        if is_able is self._told or now_s < self._since_s + waits_s:
            return
        if self._told is not None:
            self._settles_s = min(2 * self._settles_s, _PATIENCE_S)
        self._told = is_able
        self._news.append(self._told_of(ceiling, way))

    def _told_of(self, ceiling: Maybe[Ceiling], way: Maybe[str]) -> tuple[str, Severity]:
        at = f"gc-at {whole_percent(self._plan.ratio)}"
        if isinstance(way, Missing) or isinstance(ceiling, Missing):
            why = next(reason for reason in (way, ceiling) if isinstance(reason, Missing))
            return f"{at} cannot be done: {why.words}", Severity.WARNING
        in_use = f"{byte_size(ceiling.used_bytes)} ({whole_percent(ceiling.ratio)}) in use"
        return f"{at} of {ceiling.name} of {byte_size(ceiling.limit_bytes)}: armed, {in_use}", Severity.INFO


def _is_stopped(sample: Sample) -> bool:
    """A stopped program answers nobody: it would be asked in vain, and collect once it is continued."""
    return not isinstance(sample.system, Missing) and sample.system.is_stopped
