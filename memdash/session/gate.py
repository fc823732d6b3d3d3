"""Budgets held against a watch: takes in the snapshots of any Session, live or replayed, and judges all of them."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import replace

from memdash.analysis.arrivals import Arrivals
from memdash.analysis.budget import Budget, Watched
from memdash.analysis.budgets import followed, judged
from memdash.errors import MemdashError, defects_told
from memdash.model.capability import Capability
from memdash.model.check import Checked, Command
from memdash.model.finding import NOTES, Finding, NotYet
from memdash.model.missing import Missing, known
from memdash.model.sample import Instant, Sample
from memdash.model.snapshot import Snapshot, State
from memdash.session.memory import Memory
from memdash.session.whole_heap import WholeHeap
from memdash.units import duration

__all__ = ["Gate"]

_FEWEST = 2
"""Samples: of what was seen once nobody knows whether it has kept to anything."""

_MOST_LAPSED = 0.1
"""The share of a watch in which nothing may have been seen: a single answer that comes late is no reason to fail."""

_LATE = 3
"""So many times as old as it should be at most, what a server has told counts as an answer that has yet to come."""


class Gate:
    """Listens to a session, ``shown`` at first; ``over`` is set when it has seen enough, or nothing more will come.

    ``begun`` is set with the first snapshot that shows anything, ``warm`` with the first after the warm-up.

    It has a memory of its own that begins after ``warm_up_s``, counted from the first sample: history, verdict, what
    sites and tasks have grown by, all of it knows nothing of what came before. ``for_s`` is how long it watches then,
    None until the target ends or ``finish``. While the target is stopped or does not answer, time passes that counts
    for nothing: what is read of it then, or carried on from before, says nothing of what it does.
    """

    def __init__(self, shown: Snapshot, budgets: Sequence[Budget], *, warm_up_s: float, for_s: float | None) -> None:
        self._budgets = budgets
        self._warm_up_s = warm_up_s
        self._for_s = for_s
        self._memory = Memory(shown.interval_s, followed(budgets))
        self._arrivals = Arrivals()
        self._heap = WholeHeap()
        self._first: Instant | None = None
        self._since: Instant | None = None
        self._newest: Sample | None = None
        self._counted: Instant | None = None
        self._samples = 0
        self._lapsed_s = 0.0
        self._lapse = self._lapse_at_last = ""
        self._failure: MemdashError | None = None
        self._log: tuple[Finding, ...] = ()
        self.shown = shown
        self.begun, self.warm, self.over = threading.Event(), threading.Event(), threading.Event()

    def take(self, shown: Snapshot) -> None:
        """One more snapshot; on whichever thread it was made, one at a time. Where that goes wrong it is over."""
        try:
            with defects_told():
                self._take(shown)
        except MemdashError as error:
            self._failure = error
            self.over.set()
            self.begun.set()

    def _take(self, shown: Snapshot) -> None:
        if self.over.is_set() or shown.state is State.ATTACHING:
            return
        self._log = shown.findings
        if shown.state is State.LIVE and shown.sample is not self._newest:
            self._newest = shown.sample
            self._add(shown)
        elif shown.state is not State.LIVE:
            self._end(shown)
        self.begun.set()

    def _add(self, shown: Snapshot) -> None:
        at = shown.sample.at
        shown = replace(shown, sample=self._heap.kept(shown.sample))
        self._first = self._first or at
        if at.mono_s - self._first.mono_s < self._warm_up_s:
            self.shown = shown
            return
        before = self.shown.at if self._since is not None else at
        if self._since is None:
            self._since = at
        begins = not self._lapse_at_last
        self._lapse_at_last = _lapse(shown)
        if self._lapse_at_last:
            self._lapse = self._lapse_at_last
            known = _figures_at(shown) or before  # that a server hangs shows only after a while
            begun_s = min(before.mono_s, known.mono_s) if begins else before.mono_s
            self._lapsed_s += at.mono_s - max(begun_s, self._since.mono_s)
            self.shown = replace(self.shown if self._samples else shown, at=at)
        else:
            self._count(shown)
        self.warm.set()
        early_s = shown.interval_s / 2  # a tick may come a little sooner than another has come late
        if self._for_s is not None and at.mono_s - self._since.mono_s >= self._for_s - early_s:
            self.over.set()

    def _count(self, shown: Snapshot) -> None:
        at = shown.sample.at
        if self._counted != at:
            self._counted = at
            self._samples += 1
        self.shown = self._memory.add(shown, shown.sample)
        if not isinstance(shown.sample.tasks, Missing):
            self._arrivals.take(shown.sample.tasks)

    def _end(self, last: Snapshot) -> None:
        """What was seen stays; how it ended is told."""
        seen = self.shown if self._since is not None else last
        self.shown = replace(seen, state=last.state, ending=last.ending, missing=last.missing)
        self.over.set()

    def finish(self) -> None:
        """Take in nothing more."""
        self.over.set()

    def checked(self, *, strict: bool, cut_short: str = "", command: Command | None = None) -> Checked:
        """Judge what has been seen, by the budgets; ``cut_short`` is why there is no more of it, where that is known.

        Once nothing more is taken in. Raises MemdashError when something of it could not be taken in.
        """
        if self._failure is not None:
            raise self._failure
        watched: Watched | NotYet = Watched(self.shown, self._arrivals.found())
        too_little = self._too_little()
        if too_little:
            watched = NotYet(too_little)
        return Checked(
            judgements=judged(self._budgets, watched),
            shown=self.shown,
            since=self._since,
            samples=self._samples,
            warm_up_s=self._warm_up_s,
            lapsed_s=self._lapsed_s,
            strict=strict,
            cut_short=cut_short or self._lapsed() or (too_little and f"{too_little}{self._ended()}"),
            command=command,
            deeds=self._deeds(),
        )

    def _too_little(self) -> str:
        if self._samples >= _FEWEST:
            return ""
        warm_up = f" after the warm-up of {duration(self._warm_up_s)}" if self._warm_up_s else ""
        return f"{'only one sample' if self._samples else 'nothing'} was seen{warm_up}"

    def _ended(self) -> str:
        target, ending = self.shown.target, self.shown.ending
        return "" if ending is None else f": {target.words} {ending.words}"

    def _lapsed(self) -> str:
        """What stood in the way of a watch that ends in a lapse, or has too much of it."""
        if self._since is None or not self._lapse:
            return ""
        whole_s = self.shown.at.mono_s - self._since.mono_s
        if not self._lapse_at_last and self._lapsed_s <= _MOST_LAPSED * whole_s:
            return ""
        target = self.shown.target
        lapsed = f"for {duration(self._lapsed_s)} of {duration(whole_s)}" if self._lapsed_s else "at last"
        return f"{target.words} {self._lapse} {lapsed}"

    def _deeds(self) -> tuple[Finding, ...]:
        """What was done to the target since the warm-up stands in the log of whoever did it, with its figures."""
        since = self._since
        if since is None:
            return ()
        notes = (found for found in reversed(self._log) if found.rule == NOTES and found.evidence)
        return tuple(note for note in notes if known(note.mono_s, -math.inf) >= since.mono_s)


def _lapse(shown: Snapshot) -> str:
    """Why this sample says nothing of what the target does, as a clause about it; empty where it does."""
    sample, figures = shown.sample, shown.sample.origins.get(Capability.MEMSTATS)
    if shown.silence is not None:
        return "did not answer"
    if not isinstance(sample.system, Missing) and sample.system.is_stopped:
        return "was stopped"
    if shown.target.is_local or figures is None:
        return ""
    if figures.failing:
        return "told nothing"
    pace_s = max(min((cost.cadence_s for cost in sample.costs.values()), default=0.0), shown.interval_s)
    return "did not answer" if sample.at.mono_s - figures.at.mono_s > _LATE * pace_s else ""


def _figures_at(shown: Snapshot) -> Instant | None:
    """When a server has last told its figures."""
    figures = shown.sample.origins.get(Capability.MEMSTATS)
    return None if shown.target.is_local or figures is None else figures.at
