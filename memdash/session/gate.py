"""Budgets held against a watch: takes in the snapshots of any Session, live or replayed, and judges all of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from memdash.analysis.arrivals import Arrivals
from memdash.analysis.budgets import Alert, Budget, Watched, judged
from memdash.errors import MemdashError, defects_told
from memdash.model.check import Checked, Command
from memdash.model.finding import NOTES, Finding, NotYet
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Sample
from memdash.model.snapshot import Snapshot, State
from memdash.session.memory import Memory
from memdash.units import duration

__all__ = ["Gate"]


class Gate:
    """Listens to a session, ``shown`` at first; ``over`` is set when it has seen enough, or nothing more will come.

    ``begun`` is set with the first snapshot that shows anything, ``warm`` with the first that counts.

    It has a memory of its own that begins after ``warm_up_s``, counted from the first sample: history, verdict, what
    sites and tasks have grown by, all of it knows nothing of what came before. ``for_s`` is how long it watches then,
    None until the target ends.
    """

    def __init__(self, shown: Snapshot, budgets: Sequence[Budget], *, warm_up_s: float, for_s: float | None) -> None:
        self._budgets = budgets
        self._warm_up_s = warm_up_s
        self._for_s = for_s
        rules = [budget.rule for budget in budgets if isinstance(budget, Alert)]
        self._memory = Memory(shown.interval_s, rules)
        self._arrivals = Arrivals()
        self._first: Instant | None = None
        self._since: Instant | None = None
        self._newest: Sample | None = None
        self._samples = 0
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
        self._first = self._first or at
        if at.mono_s - self._first.mono_s < self._warm_up_s:
            self.shown = shown
            return
        if self._since is None:
            self._since = at
            self.warm.set()
        if not self._samples or self.shown.at != at:
            self._samples += 1
        self.shown = self._memory.add(shown, shown.sample)
        if not isinstance(shown.sample.tasks, Missing):
            self._arrivals.take(shown.sample.tasks)
        early_s = shown.interval_s / 2  # a tick may come a little sooner than another has come late
        if self._for_s is not None and at.mono_s - self._since.mono_s >= self._for_s - early_s:
            self.over.set()

    def _end(self, last: Snapshot) -> None:
        """What was seen stays; how it ended is told."""
        seen = self.shown if self._since is not None else last
        self.shown = replace(seen, state=last.state, ending=last.ending, missing=last.missing)
        self.over.set()

    def checked(self, *, strict: bool, command: Command | None = None) -> Checked:
        """Judge what has been seen, by the budgets. Raises MemdashError when something of it could not be taken in."""
        if self._failure is not None:
            raise self._failure
        watched: Watched | NotYet = Watched(self.shown, self._arrivals.found())
        if self._since is None:
            watched = NotYet(f"nothing was seen after the warm-up of {duration(self._warm_up_s)}")
        return Checked(
            judgements=judged(self._budgets, watched),
            shown=self.shown,
            since=self._since,
            samples=self._samples,
            warm_up_s=self._warm_up_s,
            strict=strict,
            command=command,
            deeds=self._deeds(),
        )

    def _deeds(self) -> tuple[Finding, ...]:
        """What was done to the target since the warm-up stands in the log of whoever did it, with its figures."""
        since = self._since
        if since is None:
            return ()
        notes = (found for found in reversed(self._log) if found.rule == NOTES)
        return tuple(note for note in notes if note.evidence and note.at_s >= since.wall_s)
