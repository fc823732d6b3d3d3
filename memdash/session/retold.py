"""The alert log of a recorded watch as it grew: what stood in it at each moment, and what its alerts did then."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from memdash.analysis.rules import COOLDOWN_S, Threshold, measured, parse_condition
from memdash.analysis.verdict_words import RULE, finding
from memdash.errors import UsageError
from memdash.model.finding import Finding, NotYet, Severity, Transition, TransitionKind
from memdash.model.sample import Instant
from memdash.model.series import Timeline
from memdash.model.verdict import Verdict
from memdash.recording.hindsight import AFTER_S

__all__ = ["Retold", "judged_then", "measured_then"]

_MOST = 500

_Key = tuple[str, float, str]


@dataclass(slots=True)
class _Entry:
    """``told`` is the gravest severity that listeners know to hold, None when they know of nothing.

    Until ``quiet_until_s`` (monotonic) they hear nothing of it.
    """

    finding: Finding
    told: Severity | None = None
    quiet_until_s: float = -math.inf


class Retold:
    """Given the moments in order, says what a listener of the watch heard. Times are monotonic.

    An alert that was muted, or came back within the usual cooldown, made no news then and makes none now. That one got
    graver shows up to a minute late: that is how often it was written down. Raises RecordingError.
    """

    def __init__(self, sayings: Iterator[tuple[float, Finding]]) -> None:
        self._sayings = sayings
        self._next = next(sayings, None)
        self._entries: dict[_Key, _Entry] = {}
        self._holding: dict[_Key, _Entry] = {}
        self._log: tuple[Finding, ...] = ()

    def at(
        self, at: Instant, verdict: Verdict | None = None, muted: Collection[str] = (), *, is_over: bool = True
    ) -> tuple[tuple[Finding, ...], tuple[Transition, ...]]:
        """The log at this moment, newest first, and the news since the one before.

        Unless the moment ``is_over``, what came of it after it had been written is left for later.
        """
        until_s = at.mono_s + (1.5 if is_over else 0.5) * AFTER_S  # half of it is for the rounding of floats
        news: list[Transition] = []
        while self._next is not None and self._next[0] <= until_s:
            news += self._take(*self._next)
            self._next = next(self._sayings, None)
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

    def _take(self, said_s: float, finding: Finding) -> Iterator[Transition]:
        has_happened = finding.ended_at_s == finding.at_s
        key = finding.rule, finding.at_s, finding.summary if has_happened else ""
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(finding)
            if has_happened and finding.severity >= Severity.WARNING:
                yield Transition(TransitionKind.HAPPENED, finding)
        entry.finding, self._holding[key] = finding, entry
        if finding.ended_at_s is not None:
            entry.quiet_until_s = said_s + COOLDOWN_S

    def _forget(self) -> None:
        """What ended first goes first."""
        surplus = max(len(self._entries) - _MOST, 0)
        ended = (key for key, entry in self._entries.items() if entry.finding.ended_at_s is not None)
        for key in tuple(islice(ended, surplus)):
            del self._entries[key]


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
        if entry.told is None and at.mono_s >= entry.quiet_until_s:
            entry.told = finding.severity
            yield Transition(TransitionKind.OPENED, finding)
        elif entry.told is not None and finding.severity > entry.told:
            entry.told = finding.severity
            yield Transition(TransitionKind.WORSENED, finding)
