"""Looks at a history again and again, and makes up its mind: slowly, and saying why it changes it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

from memdash.analysis.forecast import forecast
from memdash.analysis.loads import at_like_load
from memdash.analysis.points import Points, newest_points, outside, points
from memdash.analysis.teeth import Tooth, longest_tooth
from memdash.analysis.trend import Trend, spread, trend
from memdash.analysis.verdict import PATIENCE_S, Ruling, ruling
from memdash.analysis.verdict_words import severity, summary
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Sample
from memdash.model.series import HORIZONS_S, REMEMBERED_S, Timeline, watched_s
from memdash.model.verdict import Forecast, Verdict, VerdictKind

__all__ = ["Judge"]

_ENOUGH = 16
"""Points with which a horizon can be judged."""

_LOOKS_A_HORIZON = 120
"""A horizon is looked at again after a 120th of it: one look in three minutes for six hours."""

_GLANCE_S = HORIZONS_S[0] / _LOOKS_A_HORIZON
"""So long at most until it is seen whether there is a new point, of whatever horizon."""

_HOLD_S, _LEAVE_S, _DOUBT_S = 15.0, 60.0, 180.0
"""How long another verdict must hold before it is told; one that calls off a leak, as nothing grows or as it slows."""

_YOUNG_S, _PATIENCE_YOUNG_S = 1800.0, 1200.0
"""A program that has just started fills its caches, and loads what it needs: what grows from its first half hour
on must do so for longer."""

_URGENT_S, _HASTE_S, _HASTY_S, _HASTY_HOLD_S = 1200.0, 180.0, 40.0, 5.0
"""Where a limit is near, but not so near that this is just a program that loads its data, less patience is needed."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one horizon shows."""

    points: Points
    trend: Trend | None
    ruling: Ruling
    forecast: Forecast | None

    @property
    def rank(self) -> int:
        """A leak comes first, and what cannot tell last."""
        return {VerdictKind.LEAK: 0, VerdictKind.NOT_YET: 2}.get(self.ruling.kind, 1)


class Judge:
    """Used by one thread at a time.

    A look costs 0.5 ms where there is no new point, 3 ms where there is one; nothing between two of them.
    """

    def __init__(self) -> None:
        self._verdict: Verdict | None = None
        self._looks: dict[float, _Look] = {}
        self._outside: dict[float, _Look] = {}
        self._looked_s: dict[float, float] = {}
        self._newest_s = -math.inf
        self._next_s = -math.inf
        self._tooth: Tooth | None = None
        self._doubt_s: float | None = None
        self._leak_s: float | None = None
        self._began_s = -math.inf

    def look(self, history: Timeline, sample: Sample, began_s: float = -math.inf) -> tuple[Verdict, str]:
        """The verdict as of the newest sample, and a sentence when it has just changed its mind, else an empty one.

        ``began_s`` is when the program did, on the monotonic clock: long ago where it is not known.
        """
        self._began_s = began_s
        now_s, stopped = history.until.mono_s, not isinstance(sample.system, Missing) and sample.system.is_stopped
        if self._verdict is not None and (stopped or now_s <= self._next_s):  # more of the same tick can wait too
            return self._verdict, ""
        span_s, newest = newest_points(history, HORIZONS_S, _ENOUGH)
        pause_s = newest.window_s / _LOOKS_A_HORIZON
        self._next_s = now_s + min(pause_s, _GLANCE_S)
        newest_s = newest.times_s[-1] if len(newest) else now_s
        if self._verdict is not None and newest_s - self._newest_s <= pause_s:
            return self._verdict, ""
        self._newest_s = newest_s
        self._look_at(history, span_s, newest, sample)
        return self._settled(history.until, self._best)

    def _look_at(self, history: Timeline, span_s: float, newest: Points, sample: Sample) -> None:
        """The horizon of these points, and of the longer ones those that reach further back and are due."""
        known_s, now_s = watched_s(history), history.until.mono_s
        for looks in (self._looks, self._outside):
            for span in [span for span in looks if span < span_s]:
                del looks[span]
        for shorter_s, longer_s in reversed(list(pairwise((0.0, *HORIZONS_S)))):
            is_newest = longer_s == span_s
            if longer_s < span_s or (not is_newest and known_s < 1.5 * shorter_s):
                continue
            if not is_newest and now_s - self._looked_s.get(longer_s, -math.inf) < shorter_s / _LOOKS_A_HORIZON:
                continue
            self._looked_s[longer_s] = now_s
            seen = newest if is_newest else points(history, longer_s)
            if longer_s >= known_s or longer_s == REMEMBERED_S:
                self._tooth = longest_tooth(seen)
            self._looks[longer_s] = _look(seen, self._tooth, sample, self._began_s)
            self._outside.pop(longer_s, None)
            if (beside := outside(history, longer_s)) is not None:
                around = _look(beside, longest_tooth(beside), sample, self._began_s)
                if around.trend and around.trend.growth_bytes > spread(seen.values):
                    self._outside[longer_s] = around  # else it may be the holes that a heap leaves as it comes and goes

    @property
    def _best(self) -> _Look:
        """A leak that any horizon shows counts, in the heap before outside of it; else the shortest that can tell."""
        looks = [self._looks[span_s] for span_s in sorted(self._looks)]
        around = [look for look in self._outside.values() if look.ruling.kind is VerdictKind.LEAK]
        return min((*looks, *around), key=lambda look: look.rank)

    def _settled(self, at: Instant, look: _Look) -> tuple[Verdict, str]:
        """Another kind of verdict is told once it has held for a while."""
        held, kind = self._verdict, look.ruling.kind
        if held is not None and kind is VerdictKind.NOT_YET:  # a new stretch has just begun: the old one still stands
            return held, ""
        found = _verdict(at, look)
        if held is None or kind is held.kind:
            self._doubt_s = self._leak_s = None
            self._verdict = found if held is None else replace(found, at_s=held.at_s)
            return self._verdict, ""
        now_s = at.mono_s
        self._doubt_s = now_s if self._doubt_s is None else self._doubt_s
        if kind is not VerdictKind.LEAK:
            self._leak_s = None
        elif self._leak_s is None:
            self._leak_s = now_s
        since_s = self._doubt_s if self._leak_s is None else self._leak_s
        if now_s - since_s < _hold_s(held.kind, found):
            return held, ""
        self._verdict, self._doubt_s, self._leak_s = found, None, None
        return found, f"{held.kind.value} → {kind.value}: {look.ruling.why}"


def _hold_s(held: VerdictKind, found: Verdict) -> float:
    """What is seen over hours must hold for longer than what is seen over minutes: it is looked at more rarely."""
    if held is not VerdictKind.LEAK:
        if found.kind is not VerdictKind.LEAK:
            return _HOLD_S
        return _HASTY_HOLD_S if _is_urgent(found.forecast) else max(_HOLD_S, found.window_s / 60)
    return _LEAVE_S if found.kind in (VerdictKind.PLATEAU, VerdictKind.SAWTOOTH) else _DOUBT_S


def _look(seen: Points, tooth: Tooth | None, sample: Sample, began_s: float) -> _Look:
    seen = at_like_load(seen)
    course = trend(seen)
    if course is None:
        return _Look(seen, None, ruling(None), None)
    ahead = forecast(course.line.slope, course.level_bytes, sample)
    patience_s = _patience_s(ahead, age_s=seen.times_s[-1] - course.window_s - began_s)
    return _Look(seen, course, ruling(course, tooth, patience_s), ahead)


def _is_urgent(ahead: Forecast | None) -> bool:
    return ahead is not None and _HASTE_S <= ahead.soonest_s <= _URGENT_S


def _patience_s(ahead: Forecast | None, age_s: float) -> float:
    """``age_s`` is how old the program was when it began to grow."""
    if _is_urgent(ahead):
        return _HASTY_S
    return _PATIENCE_YOUNG_S if age_s < _YOUNG_S else PATIENCE_S


def _verdict(at: Instant, look: _Look) -> Verdict:
    course, ruled = look.trend, look.ruling
    verdict = Verdict(kind=ruled.kind, at_s=at.wall_s, why=ruled.why, basis=look.points.words, points=len(look.points))
    if course is not None:
        verdict = replace(
            verdict,
            slope=course.line.slope,
            window_s=course.window_s,
            points=course.points,
            cycles=course.cycles,
            level_bytes=course.level_bytes,
            growth_bytes=course.growth_bytes,
            forecast=look.forecast if ruled.kind.grows else None,
        )
    return replace(verdict, severity=severity(verdict), summary=summary(verdict))
