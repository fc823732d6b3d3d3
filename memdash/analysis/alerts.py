"""The alert log: bounded, what ended longest ago dropped first and counted, never blocking."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

from memdash.analysis.rules.rule import COOLDOWN_S
from memdash.model.finding import Finding, NotYet, Severity, Transition, TransitionKind
from memdash.model.sample import Instant

__all__ = ["AlertLog"]

_UNKNOWN_S = 300.0
"""What nobody can tell for so long does not hold any more: a source that went silent ends no alert at once."""


@dataclass(slots=True)
class _Course:
    """Where a rule stands: the number of its newest entry, and what listeners have heard of it.

    ``held_s`` is how long it had held before ``began_s``, ``told`` the gravest severity that they know to hold, None
    when they know of nothing. ``seen_s`` is when it was last found to hold, ``unknown_s`` since when its rule cannot
    tell. Moments are monotonic.
    """

    number: int
    began_s: float
    held_s: float = 0.0
    ended_s: float | None = None
    seen_s: float = 0.0
    unknown_s: float | None = None
    quiet_until_s: float = -math.inf
    told: Severity | None = None

    def lasted_s(self, now_s: float) -> float:
        return self.held_s + now_s - self.began_s


class AlertLog:
    """Turns what the rules say at each tick into entries with a beginning and an end, and into news for listeners.

    A rule that goes on finding is one entry, kept up to date; when it stops, the entry gets its end. A rule that starts
    again within its cooldown reopens its last entry instead of filling the log, and listeners hear of it only when it
    still holds once the cooldown is over. What is muted is kept in the log, but listeners hear nothing of it.

    No entry is dropped while it holds: more than ``capacity`` there are only while more rules than that find something.
    """

    def __init__(self, cooldowns: Mapping[str, float] | None = None, capacity: int = 500) -> None:
        self._entries: dict[int, Finding] = {}
        self._capacity = capacity
        self._cooldowns = cooldowns or {}
        self._courses: dict[str, _Course] = {}
        self._muted: dict[str, float] = {}
        self._news: list[Transition] = []
        self._count = 0
        self.dropped = 0

    def note(self, finding: Finding) -> None:
        """Log something that happened at one moment."""
        over = replace(finding, ended_at_s=finding.at_s)
        self._push(over)
        if over.severity >= Severity.WARNING:
            self._news.append(Transition(TransitionKind.HAPPENED, over))

    def held(self, rule: str) -> Finding | None:
        """The rule's entry while it has no end."""
        course = self._courses.get(rule)
        return None if course is None or course.ended_s is not None else self._entries[course.number]

    def observe(self, now: Instant, verdicts: Mapping[str, Finding | NotYet | None]) -> None:
        """Take in what each rule said at ``now``. NotYet leaves an open entry as it is, and ends it after 5 minutes."""
        for rule, until_s in tuple(self._muted.items()):
            if now.mono_s >= until_s:
                del self._muted[rule]
        for rule, verdict in verdicts.items():
            held = self.held(rule)
            if isinstance(verdict, Finding):
                self._hold(now, rule, held, verdict)
            elif verdict is None and held is not None:
                self._end(now, self._courses[rule], held)
            elif isinstance(verdict, NotYet) and held is not None:
                self._doubt(now, self._courses[rule], held, verdict)
            if (course := self._courses.get(rule)) is not None:
                self._tell(now, rule, course)

    def _hold(self, now: Instant, rule: str, held: Finding | None, found: Finding) -> None:
        course = self._courses.get(rule)
        if course is not None and held is None and course.ended_s is not None:
            held = self._reopened(now, rule, course)
        if course is None or held is None:
            self._courses[rule] = _Course(self._count, now.mono_s, seen_s=now.mono_s)
            self._push(replace(found, at_s=now.wall_s, mono_s=now.mono_s, worst=found.measured))
            return
        course.seen_s, course.unknown_s = now.mono_s, None
        self._entries[course.number] = replace(
            found,
            at_s=held.at_s,
            mono_s=held.mono_s,
            worst=held.worst if found.measured is None else found.measured.worse(held.worst),
            lasted_s=course.lasted_s(now.mono_s),
            times=held.times,
            acknowledged=held.acknowledged and found.severity <= held.severity,
        )

    def _reopened(self, now: Instant, rule: str, course: _Course) -> Finding | None:
        """The last entry, when that ended less than the cooldown ago."""
        entry, ended_s = self._entries.get(course.number), course.ended_s
        until_s = -math.inf if ended_s is None else ended_s + self._cooldowns.get(rule, COOLDOWN_S)
        if entry is None or now.mono_s >= until_s:
            return None
        course.began_s, course.ended_s, course.quiet_until_s = now.mono_s, None, until_s
        return replace(entry, ended_at_s=None, times=entry.times + 1)

    def _end(self, now: Instant, course: _Course, held: Finding) -> None:
        course.held_s, course.ended_s, course.unknown_s = course.lasted_s(now.mono_s), now.mono_s, None
        self._entries[course.number] = replace(held, ended_at_s=now.wall_s, lasted_s=course.held_s)

    def _doubt(self, now: Instant, course: _Course, held: Finding, verdict: NotYet) -> None:
        """End what its rule has not been able to tell for long; it has held for as long as it was seen to."""
        course.unknown_s = now.mono_s if course.unknown_s is None else course.unknown_s
        if now.mono_s - course.unknown_s < _UNKNOWN_S:
            return
        course.held_s, course.ended_s, course.unknown_s = course.lasted_s(course.seen_s), now.mono_s, None
        self._entries[course.number] = replace(
            held,
            ended_at_s=now.wall_s,
            lasted_s=course.held_s,
            summary=f"{held.summary}; whether that holds is not known any more: {verdict.why}",
        )

    def close(self, now: Instant) -> None:
        """Nothing more will be found: what holds has ended, and listeners hear of it."""
        for rule, course in self._courses.items():
            if (held := self.held(rule)) is not None:
                self._end(now, course, held)
                self._tell(now, rule, course)

    def _tell(self, now: Instant, rule: str, course: _Course) -> None:
        """Compare what holds with what listeners know."""
        entry = self._entries.get(course.number)
        if entry is None:
            return
        if course.ended_s is not None:
            if course.told is not None:
                course.told = None
                self._news.append(Transition(TransitionKind.ENDED, entry))
            return
        if rule in self._muted or entry.severity < Severity.WARNING:
            return
        if course.told is None and now.mono_s >= course.quiet_until_s:
            course.told = entry.severity
            self._news.append(Transition(TransitionKind.OPENED, entry))
        elif course.told is not None and entry.severity > course.told:
            course.told = entry.severity
            self._news.append(Transition(TransitionKind.WORSENED, entry))

    def acknowledge(self, finding: Finding, seen: bool = True) -> None:
        """A person has seen this entry, or takes that back. It is found by its rule and when it began."""
        for number, entry in self._entries.items():
            if (entry.rule, entry.at_s) == (finding.rule, finding.at_s):
                self._entries[number] = replace(entry, acknowledged=seen)

    def mute(self, rule: str, until_s: float = math.inf) -> None:
        """Tell listeners nothing more of this rule, until a moment on the monotonic clock."""
        self._muted[rule] = until_s

    def unmute(self, rule: str) -> None:
        """Tell of it again; of what holds then at the next tick."""
        self._muted.pop(rule, None)

    @property
    def muted(self) -> Mapping[str, float]:
        """The rules that are muted, and until when on the monotonic clock; infinite without an end."""
        return dict(self._muted)

    def news(self) -> tuple[Transition, ...]:
        """What has changed since this was asked before, oldest first."""
        news, self._news = tuple(self._news), []
        return news

    def _push(self, finding: Finding) -> None:
        self._entries[self._count] = finding
        self._count += 1
        surplus = max(len(self._entries) - self._capacity, 0)
        ended = (number for number, entry in self._entries.items() if entry.ended_at_s is not None)
        for number in tuple(islice(ended, surplus)):
            del self._entries[number]
            self.dropped += 1

    @property
    def entries(self) -> tuple[Finding, ...]:
        """The log, newest first."""
        return tuple(reversed(self._entries.values()))
