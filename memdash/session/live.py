"""A Session over a running process, and a single reading without a thread."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from memdash.analysis.deeds import deed_figures, deed_words
from memdash.analysis.rules import Rule, default_rules
from memdash.errors import MemdashError, defects_told
from memdash.model.action import Action, Deed
from memdash.model.capability import Capability
from memdash.model.finding import Finding, NotYet, Severity
from memdash.model.missing import Maybe, Missing
from memdash.model.relief import GcAt
from memdash.model.sample import Instant, Sample
from memdash.model.snapshot import Baseline, Snapshot, State
from memdash.model.target import Ending, Silence, Target
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.process.watcher import Watcher
from memdash.sampling.clock import Clock, SystemClock
from memdash.sampling.history import History
from memdash.sampling.roster import Roster
from memdash.sampling.sampler import Sampler, Watch
from memdash.session.attach import Attached, attach
from memdash.session.listeners import Listeners
from memdash.session.memory import Memory
from memdash.session.rewind import Rewind
from memdash.units import clock_time, duration

if TYPE_CHECKING:
    from memdash.recording.recorder import Recorder
    from memdash.session.past import Past
    from memdash.session.relieving import Relieving

__all__ = ["Live", "read_once"]

_PATIENCE_S = 10.0
"""CPU time that a single reading may take for what is read piece by piece: enough for 15 million objects."""


def _first_snapshot(target: Target, clock: Clock, interval_s: float) -> Snapshot:
    now = clock.now()
    waiting = Missing("attaching")
    empty = Sample.empty(now, waiting)
    return Snapshot(
        target=target,
        state=State.ATTACHING,
        at=now,
        interval_s=interval_s,
        sample=empty,
        history=History(interval_s).view(),
        groups=waiting,
        objects=waiting,
        tasks=waiting,
        baseline=Baseline(now, False),
    )


def _watch_over(target: Target, entries: Sequence[ProbeEntry]) -> Watch:
    """A process is watched by the kernel's word, a server by whether it answers."""
    if target.is_local:
        return Watcher(target)
    from memdash.probes.endpoint import Endpoint
    from memdash.probes.endpoint.pulse import PulseWatch

    return PulseWatch(next(entry.pulse for entry in entries if isinstance(entry, Endpoint)), target.name)


class Live:
    """A Session over a running process. It is also the sampler's Listener.

    ``muted`` are the names of rules that do not count; ``memory`` takes the place of one that goes by both. ``asked``
    is done as soon as the target has been looked at for the first time; ``gc_at`` has collections forced before a limit
    is reached. A ``read_only`` watch offers nothing and does nothing; through one that ``keeps_past`` one can go back.
    """

    def __init__(
        self,
        target: Target,
        *,
        interval_s: float = 1.0,
        rules: Sequence[Rule] | None = None,
        muted: Sequence[str] = (),
        memory: Memory | None = None,
        asked: Sequence[Action] = (),
        gc_at: GcAt | None = None,
        read_only: bool = False,
        keeps_past: bool = False,
        watch: Watch | None = None,
        entries: Sequence[ProbeEntry] = PROBES,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._entries = entries
        self._asked = asked
        self._read_only = read_only
        self._memory = memory or Memory(interval_s, default_rules() if rules is None else rules, muted)
        self._snapshot = _first_snapshot(target, self._clock, interval_s)
        self._listeners = Listeners()
        self._failing: tuple[Callable[[Snapshot], None], ...] = ()
        self._lock = threading.Lock()
        self._keeps_past = keeps_past
        self._rewind = Rewind()
        self._watch = watch or _watch_over(target, entries)
        self._sampler = Sampler(self._open, self._watch, self._clock, interval_s, self)
        self._relieving: Relieving | None = None
        if gc_at is not None and not read_only:
            from memdash.session.relieving import Relieving  # 2 ms, spared those who do not ask for it

            self._relieving = Relieving(gc_at, self._sampler.ask, self._memory.note)

    def start(self) -> None:
        """Attach and sample in a thread of its own."""
        for action in self._asked:
            self.act(action)
        self._sampler.start()
        if self._keeps_past:
            self._rewind.begin_soon(self)

    def snapshot(self) -> Snapshot:
        """The newest moment."""
        return self._snapshot

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Add a listener, which is called on the sampler's thread; what this returns takes it out again."""
        return self._listeners.add(listener)

    def remember(self, recorder: Recorder) -> None:
        """Look for the past in what is recorded of this watch."""
        self._rewind.use(recorder)

    @property
    def past(self) -> Maybe[Past]:
        """The moments that have been recorded; Missing before there are any."""
        return self._rewind.past

    def require_markable(self) -> None:
        """The log of a watch that goes on takes any mark."""

    def mark(self, note: str, then: Snapshot) -> None:
        """Put a mark into the log, and into what is recorded."""
        self._rewind.mark(note, then.at)
        with self._lock:
            self._memory.mark_moment(then.at, note)
            self._refresh()

    def mark_baseline(self, then: Snapshot | None = None) -> None:
        """Count changes from the newest sample on, or from a moment that is past."""
        with self._lock:
            now = self._snapshot.at
            if then is None:
                self._memory.mark(now)
                self._memory.note(now, "baseline set")
            else:
                self._memory.mark(then.at, then.sample)
                self._memory.note(now, f"baseline set to {clock_time(then.at.wall_s)}")
            self._refresh()

    def clear_baseline(self) -> None:
        """Count changes from the attach again."""
        with self._lock:
            if not self._memory.is_marked:
                return
            self._memory.clear()
            self._memory.note(self._snapshot.at, "baseline cleared: changes count from the attach")
            self._refresh()

    def acknowledge(self, finding: Finding, seen: bool = True) -> None:
        """Keep that a person has seen it; it is found by its rule and when it began."""
        with self._lock:
            self._memory.acknowledge(finding, seen)
            self._refresh()

    def mute(self, rule: str, for_s: float = math.inf) -> None:
        """Count nothing of it from now on, or with 0 count it again; told in the log."""
        with self._lock:
            self._memory.mute(self._snapshot.at, rule, for_s)
            self._refresh()

    def note(
        self, summary: str, severity: Severity = Severity.INFO, evidence: Mapping[str, float | str] | None = None
    ) -> None:
        """Put a line into the alert log. Not for listeners: they are called while the session is taken."""
        with self._lock:
            self._memory.note(self._clock.now(), summary, severity, evidence or {})
            self._refresh()

    def act(self, action: Action) -> None:
        """Have it done after all that was asked for before; sampling goes on meanwhile."""
        if not self._read_only:
            self._sampler.ask(action)

    def is_doing(self, action: Action) -> bool:
        """Whether it is being done, or waits for its turn."""
        return self._sampler.is_asked(action)

    def close(self) -> None:
        """Stop the thread."""
        self._sampler.stop()
        self._rewind.close()

    def _open(self) -> Roster:
        attached = attach(self._snapshot.target, self._entries, self._clock, self._take)
        self._take(attached)
        return attached.roster

    def _take(self, attached: Attached) -> None:
        """Show what has been opened, at once or later."""
        with self._lock:
            for line in attached.log:
                self._memory.note(self._clock.now(), line)
            self._snapshot = replace(self._snapshot, target=attached.target, missing=attached.missing)

    def on_sample(self, sample: Sample) -> None:
        """Take in one tick."""
        with self._lock:
            shown = replace(self._snapshot, state=State.LIVE, silence=self._heard(sample.at))
            also: Mapping[str, Finding | NotYet | None] = {}
            if self._relieving is not None:
                also = self._relieving.look(sample, shown.actions)
                shown = replace(shown, relief=self._relieving.standing)
            self._publish(self._memory.add(shown, sample, also))

    def _heard(self, at: Instant) -> Silence | None:
        """Whether anything of the target answers; that it began or ceased to do so is told in the log at once."""
        silence, before = self._watch.silence(), self._snapshot.silence
        name = self._snapshot.target.name
        if silence is not None and before is None:
            self._memory.note(
                Instant(silence.since_s, at.mono_s), f"{name} does not answer: {silence.why}", Severity.WARNING
            )
        elif silence is None and before is not None:
            self._memory.note(at, f"{name} answers again, after {duration(max(at.wall_s - before.since_s, 0.0))}")
        return silence

    def on_offers(self, offers: Mapping[Action, Maybe[str]], news: Sequence[str]) -> None:
        """Take in what can be done now, and what the doers have to tell; the next snapshot shows both."""
        with self._lock:
            for line in news:
                self._memory.note(self._clock.now(), line)
            self._snapshot = replace(self._snapshot, actions={} if self._read_only else dict(offers))

    def on_deed(self, deed: Deed) -> None:
        """Log what was done, with the figures before and after."""
        with self._lock:
            severity = Severity.WARNING if deed.failed else Severity.INFO if deed.begun else Severity.OK
            self._memory.note(self._clock.now(), deed_words(deed), severity, deed_figures(deed))
            if self._relieving is not None:
                self._relieving.heard(deed)
            self._refresh()

    def on_end(self, ending: Ending) -> None:
        """Freeze on what was seen last."""
        with self._lock:
            target = self._snapshot.target
            at = Instant(ending.at_s, self._snapshot.at.mono_s)
            self._memory.end(at)
            self._memory.note(at, f"{target.words} {ending.words}", ending.severity)
            self._publish(self._memory.refreshed(replace(self._snapshot, state=State.ENDED, ending=ending)))

    def on_failure(self, error: MemdashError) -> None:
        """Say why nothing can be read at all, or nothing more: what was seen before stays."""
        with self._lock:
            now = self._clock.now()
            why = Missing.of(error)
            self._memory.end(Instant(now.wall_s, self._snapshot.at.mono_s))
            self._memory.note(now, error.what, Severity.CRITICAL)
            shown = replace(self._snapshot, state=State.REFUSED, missing=dict.fromkeys(Capability, why))
            if self._snapshot.state is State.ATTACHING:
                shown = replace(shown, at=now, sample=Sample.empty(now, why), groups=why, objects=why, tasks=why)
            self._publish(self._memory.refreshed(shown))

    def _refresh(self) -> None:
        """The same moment with today's log and baseline."""
        self._publish(self._memory.refreshed(self._snapshot))

    def _publish(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        for listener in self._listeners:
            try:
                with defects_told():
                    listener(snapshot)
            except MemdashError as error:
                self._excuse(listener, error)

    def _excuse(self, listener: Callable[[Snapshot], None], error: MemdashError) -> None:
        """One that goes wrong costs neither the watch nor the others; it is told once, in the next snapshot."""
        if listener not in self._failing:
            self._failing = (*self._failing, listener)
            words = f"something that follows this watch goes wrong: {error.what}"
            self._memory.note(self._clock.now(), words, Severity.WARNING)


def read_once(
    target: Target,
    *,
    rules: Sequence[Rule] | None = None,
    muted: Sequence[str] = (),
    entries: Sequence[ProbeEntry] = PROBES,
    clock: Clock | None = None,
) -> Snapshot:
    """Attach, read all there is one time, and let go. Raises MemdashError when nothing can be read."""
    clock = clock or SystemClock()
    attached = attach(target, entries, clock)
    memory = Memory(1.0, default_rules() if rules is None else rules, muted)
    for line in attached.log:
        memory.note(clock.now(), line)
    shown = replace(_first_snapshot(attached.target, clock, 1.0), state=State.LIVE, missing=attached.missing)
    try:
        samples = chain(attached.roster.tick(clock.now()), attached.roster.finish(_PATIENCE_S))
        return memory.add(shown, deque(samples, maxlen=1).pop())  # taken in once: one look has no rates
    finally:
        attached.roster.close()
