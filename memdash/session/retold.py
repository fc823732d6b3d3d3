"""The alert log of a recorded watch as it grew: what stood in it at each moment, and what its alerts did then."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import islice

from memdash.analysis.rules import COOLDOWN_S, Threshold, measured, parse_condition
from memdash.analysis.verdict_words import RULE, finding
from memdash.errors import UsageError
from memdash.model.finding import Finding, NotYet, Severity, Transition, TransitionKind
from memdash.model.sample import Instant
from memdash.model.series import Timeline
from memdash.model.verdict import Verdict

__all__ = ["Retold", "judged_then", "measured_then"]

_AHEAD_S = 5.0
"""What a moment brought is written with those that came soon after it, and bears the time of the last of them."""

_MOST = 500

_Key = tuple[str, float, str]


@dataclass(slots=True)
class _Entry:
    """``told`` is the gravest severity that listeners know to hold, None when they know of nothing."""

    finding: Finding
    told: Severity | None = None
    quiet_until_s: float = -math.inf


class Retold:
    """Given the moments in order, says what a listener of the watch heard. Times are wall time, as alerts bear it.

    An alert that was muted, or came back within the usual cooldown, made no news then and makes none now. That one got
    graver shows up to a minute late: that is how often it was written down. Raises RecordingError.
    """

    def __init__(self, sayings: Iterator[tuple[float, Finding]]) -> None:
        self._sayings = sayings
        self._next = next(sayings, None)
        self._due: list[tuple[float, int, _Key, Finding]] = []
        self._count = 0
        self._begun: set[_Key] = set()
        self._entries: dict[_Key, _Entry] = {}
        self._holding: dict[_Key, _Entry] = {}
        self._log: tuple[Finding, ...] = ()

    def at(
        self, at: Instant, verdict: Verdict | None = None, muted: Collection[str] = (), *, is_last: bool = False
    ) -> tuple[tuple[Finding, ...], tuple[Transition, ...]]:
        """The log at this moment, newest first, and the news since the one before; all that is left at the last."""
        until_s = math.inf if is_last else at.wall_s
        self._look_ahead(until_s + _AHEAD_S)
        news: list[Transition] = []
        while self._due and self._due[0][0] <= until_s:
            *_, key, finding = heappop(self._due)
            news += self._take(key, finding)
            self._log = ()
        self._forget()
        for entry in self._holding.values():
            then = judged_then(entry.finding, verdict)
            if then is not entry.finding:
                entry.finding, self._log = then, ()
        self._log = self._log or tuple(entry.finding for entry in reversed(self._entries.values()))
        for key, entry in tuple(self._holding.items()):
            news += _told(entry, at, muted)
            if entry.finding.ended_at_s is not None:
                del self._holding[key]
        return self._log, tuple(news)

    def _look_ahead(self, until_s: float) -> None:
        """The first that was said of an alert counts from its beginning, the last from its end."""
        while self._next is not None and self._next[0] <= until_s:
            said_s, finding = self._next
            self._next = next(self._sayings, None)
            has_happened = finding.ended_at_s == finding.at_s
            key = finding.rule, finding.at_s, finding.summary if has_happened else ""
            if key not in self._begun:
                said_s = finding.at_s
            elif finding.ended_at_s is not None:
                said_s = finding.ended_at_s
            self._begun.add(key)
            self._count += 1
            heappush(self._due, (said_s, self._count, key, finding))

    def _take(self, key: _Key, finding: Finding) -> Iterator[Transition]:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(finding)
            if finding.ended_at_s == finding.at_s and finding.severity >= Severity.WARNING:
                yield Transition(TransitionKind.HAPPENED, finding)
        before, entry.finding, self._holding[key] = entry.finding, finding, entry
        if finding.ended_at_s is None and before.ended_at_s is not None:
            entry.quiet_until_s = before.ended_at_s + COOLDOWN_S

    def _forget(self) -> None:
        """What ended first goes first."""
        surplus = max(len(self._entries) - _MOST, 0)
        ended = (key for key, entry in self._entries.items() if entry.finding.ended_at_s is not None)
        for key in tuple(islice(ended, surplus)):
            del self._entries[key]
            self._begun.discard(key)


def judged_then(entry: Finding, verdict: Verdict | None) -> Finding:
    """An alert about the memory as a whole that goes on, with what was made of that at just this moment."""
    if entry.rule != RULE or entry.ended_at_s is not None or verdict is None:
        return entry
    said = finding(verdict)
    if not isinstance(said, Finding):
        return entry
    return replace(entry, summary=said.summary, severity=said.severity, evidence=said.evidence)


def measured_then(entry: Finding, history: Timeline) -> Finding:
    """An alert about one figure that goes on, with that at the end of a history: what was said of it may be older."""
    when = entry.evidence.get("when")
    if entry.ended_at_s is not None or not isinstance(when, str):
        return entry
    try:
        rule = Threshold(entry.rule, parse_condition(when))
    except UsageError:  # a recording may hold anything
        return entry
    found = measured(rule.when, history)
    if isinstance(found, NotYet):
        return entry
    said = rule.told(history, found)
    worst = found.figure.worse(entry.worst)
    return replace(entry, summary=said.summary, measured=found.figure, worst=worst, evidence=said.evidence)


def _told(entry: _Entry, at: Instant, muted: Collection[str]) -> Iterator[Transition]:
    finding = entry.finding
    if finding.ended_at_s is not None:
        if entry.told is not None:
            entry.told = None
            yield Transition(TransitionKind.ENDED, finding)
    elif finding.severity >= Severity.WARNING and finding.rule not in muted:
        if entry.told is None and at.wall_s >= entry.quiet_until_s:
            entry.told = finding.severity
            yield Transition(TransitionKind.OPENED, finding)
        elif entry.told is not None and finding.severity > entry.told:
            entry.told = finding.severity
            yield Transition(TransitionKind.WORSENED, finding)
