"""All that a watch remembers, and how a sample becomes a snapshot."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from memdash.analysis.alerts import AlertLog
from memdash.analysis.gc_trend import NO_START, gc_trend
from memdash.analysis.growers import growers
from memdash.analysis.judge import Judge
from memdash.analysis.rules import Rule
from memdash.analysis.verdict_words import RULE, collector_words, finding, named
from memdash.errors import MemdashError, defects_told
from memdash.model.finding import NOTES, Finding, NotYet, Severity, mark
from memdash.model.gc_trend import GcTrend
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Sample
from memdash.model.series import Timeline
from memdash.model.snapshot import Snapshot
from memdash.model.target import Target
from memdash.model.verdict import Verdict
from memdash.sampling.cost import CostMeter
from memdash.sampling.history import History
from memdash.session.rows import Rows
from memdash.units import duration

__all__ = ["Memory"]

Found = TypeVar("Found")

_GC_TREND_EVERY_S = 15.0
"""It goes by spans of 45 s: little of it changes from one second to the next, and a look takes 1.5 ms."""

_NO_FIGURES: Mapping[str, float | str] = MappingProxyType({})


class Memory:
    """Used by one thread at a time."""

    def __init__(self, interval_s: float, rules: Sequence[Rule], muted: Sequence[str] = ()) -> None:
        self._interval_s = interval_s
        self._rules = rules
        self._broken: set[str] = set()
        self._log = AlertLog({rule.name: rule.cooldown_s for rule in rules})
        for name in muted:
            self._log.mute(name)
        self._cost = CostMeter()
        self._began_s: float | None = None
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget all samples: history, changes and the verdict begin with the next one. The log stays as it is."""
        self._history = History(self._interval_s)
        self._rows = Rows()
        self._judge = Judge()
        self._gc_trend: GcTrend | None = None
        self._gc_trend_at_s = -math.inf

    def note(
        self,
        at: Instant,
        summary: str,
        severity: Severity = Severity.INFO,
        evidence: Mapping[str, float | str] = _NO_FIGURES,
    ) -> None:
        """Put a line into the alert log."""
        at_s, mono_s = at
        self._log.note(
            Finding(rule=NOTES, severity=severity, at_s=at_s, mono_s=mono_s, summary=summary, evidence=evidence)
        )

    def mark_moment(self, at: Instant, note: str) -> None:
        """Put a mark into the log, where it can be found again."""
        self._log.note(mark(at, note))

    def add(
        self, shown: Snapshot, sample: Sample, also: Mapping[str, Finding | NotYet | None] = MappingProxyType({})
    ) -> Snapshot:
        """The snapshot that follows ``shown`` once ``sample`` has been taken in; ``also`` is what others found."""
        self._history.append(sample)
        view = self._history.view(self._rows.marked)
        self._rows.take(sample)
        self._rows.reside(sample, shown.target.runtime)
        began_s = self._since_when(shown.target, sample.at)
        self._follow_gc(view, sample, began_s)
        verdict = self._judged(view, sample, began_s)
        found = {rule.name: self._checked(rule.name, self._check(rule), view) for rule in self._rules} | dict(also)
        if verdict is not None:
            found[RULE] = finding(verdict)
        self._log.observe(sample.at, found)
        cost = self._cost.measure()
        return self.refreshed(
            replace(
                shown,
                at=sample.at,
                sample=sample,
                history=view,
                cost=cost,
                verdict=verdict,
                gc_trend=self._gc_trend,
            )
        )

    def _since_when(self, target: Target, at: Instant) -> float:
        """When the target began, on the monotonic clock: by its age at the first sample, whatever the other one does.

        Long ago for a server that is asked by its URL, which does not tell.
        """
        if self._began_s is None:
            self._began_s = at.mono_s - (at.wall_s - target.started_at_s) if target.is_local else -math.inf
        return self._began_s

    def _follow_gc(self, view: Timeline, sample: Sample, began_s: float) -> None:
        """See now and then which way the collector goes."""
        if isinstance(sample.gc, Missing):
            self._gc_trend = None
        elif view.until.mono_s - self._gc_trend_at_s >= _GC_TREND_EVERY_S:
            self._gc_trend_at_s = view.until.mono_s
            begin_s = began_s if math.isfinite(began_s) else NO_START
            found = self._checked("gc trend", lambda history: gc_trend(history, begin_s), view)
            self._gc_trend = None if isinstance(found, NotYet) else found

    def _check(self, rule: Rule) -> Callable[[Timeline], Finding | NotYet | None]:
        return lambda history: rule.check(history, self._log.held(rule.name))

    def _judged(self, view: Timeline, sample: Sample, began_s: float) -> Verdict | None:
        """What is made of it all; None when judging goes wrong. A change of mind is told in the log."""
        ruled = self._checked(RULE, lambda history: self._judge.look(history, sample, began_s), view)
        if isinstance(ruled, NotYet):
            return None
        verdict, changed = ruled
        if changed:
            self.note(sample.at, changed)
        if not verdict.kind.grows:
            return verdict
        grown = growers(*self._rows.named(sample, sample.at.mono_s - verdict.window_s))
        return named(verdict, grown, collector_words(self._gc_trend))

    def _checked(self, name: str, check: Callable[[Timeline], Found], view: Timeline) -> Found | NotYet:
        """What it says; a rule that goes wrong is told once, finds nothing, and costs none of the others."""
        try:
            with defects_told():
                return check(view)
        except MemdashError as error:
            if name not in self._broken:
                self._broken.add(name)
                self.note(view.until, f"the rule {name} cannot check: {error.what}", Severity.WARNING)
            return NotYet(error.what)

    def end(self, at: Instant) -> None:
        """Nothing more will be seen: no alert holds any longer."""
        self._log.close(at)

    def acknowledge(self, finding: Finding, seen: bool) -> None:
        """A person has seen an entry of the log, or takes that back."""
        self._log.acknowledge(finding, seen)

    def mute(self, now: Instant, rule: str, for_s: float) -> None:
        """Count nothing of this rule for so long from ``now`` on; 0 lets it count again. It is told in the log."""
        if for_s:
            self._log.mute(rule, now.mono_s + for_s)
            self.note(now, f"{rule} muted{'' if math.isinf(for_s) else f' for {duration(for_s)}'}")
        elif rule in self._log.muted:
            self._log.unmute(rule)
            self.note(now, f"{rule} counts again")

    @property
    def is_marked(self) -> bool:
        """Whether changes count from a moment that a person chose."""
        return self._rows.marked is not None

    def mark(self, at: Instant, then: Sample | None = None) -> None:
        """Count changes from the newest readings on, or from those of ``then``, a moment that is past."""
        self._rows.mark(at, then)

    def clear(self) -> None:
        """Count changes from the attach again."""
        self._rows.clear()

    def refreshed(self, shown: Snapshot) -> Snapshot:
        """The same moment with today's log and baseline."""
        return replace(
            self._rows.filled(shown),
            findings=self._log.entries,
            findings_dropped=self._log.dropped,
            transitions=self._log.news(),
            muted=self._log.muted,
        )
