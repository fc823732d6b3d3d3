"""One watch over one target: the only place where attaching, sampling, remembering and judging are wired together.

    Live   reads a process; ``read_once`` does it a single time, without a thread

Both produce ``Snapshot``s, and that is all that screens, reports and exports ever see.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from memdash.analysis.alerts import AlertLog
from memdash.analysis.rules import Rule, default_rules
from memdash.analysis.sites import grouped, usage_by_leaf
from memdash.errors import MemdashError, ProbeError, TargetError, TargetExited, defects_told
from memdash.model.capability import Capability
from memdash.model.finding import Finding, Severity
from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame, Profile, Usage
from memdash.model.sample import Sample
from memdash.model.snapshot import Baseline, SiteGroup, Snapshot, State
from memdash.model.target import Ending, Target
from memdash.probes.probe import Fit, Probe, ProbeEntry, judged
from memdash.probes.registry import PROBES
from memdash.process.watcher import Watcher
from memdash.sampling.clock import Clock, SystemClock
from memdash.sampling.cost import CostMeter
from memdash.sampling.history import History
from memdash.sampling.roster import Roster
from memdash.sampling.sampler import Sampler, Watch
from memdash.sampling.trends import SiteTrends

__all__ = ["Live", "Session", "read_once"]


class Session(Protocol):
    """What the dashboard and the headless commands hold: snapshots, and the few things one may ask for."""

    def start(self) -> None:
        """Begin to watch; returns at once. The first snapshots say ATTACHING."""

    def snapshot(self) -> Snapshot:
        """The newest moment. Safe from any thread."""

    def subscribe(self, listener: Callable[[Snapshot], None]) -> None:
        """Call ``listener`` with each new snapshot, on whichever thread made it.

        It must return quickly, and ask nothing of the session but ``snapshot``: the others would wait for it for ever.
        """

    def mark_baseline(self) -> None:
        """Count changes from now on."""

    def clear_baseline(self) -> None:
        """Count changes from the attach again."""

    def close(self) -> None:
        """Stop watching. The last snapshot stays. May be called twice."""


@dataclass(frozen=True, slots=True)
class _Attached:
    target: Target
    roster: Roster
    missing: dict[Capability, Missing]
    log: tuple[str, ...]


def _attach(target: Target, entries: Sequence[ProbeEntry], clock: Clock) -> _Attached:
    """Open every way of reading that suits; a capability is read by the first entry that gives it.

    An entry that refuses or fails leaves its reason under each capability that nobody else gives; that of one which
    recognises the target counts before others. Raises TargetExited, and the last error when nothing can be read at all.
    """
    probes: list[Probe] = []
    missing: dict[Capability, Missing] = {}
    log: list[str] = []
    failure: MemdashError | None = None
    for entry in entries:
        if entry.capabilities <= _given(probes):
            continue  # not even asked: all it could read is read
        verdict = judged(entry, target)
        if not isinstance(verdict, Fit):
            why = Missing(verdict.why, verdict.hint)
            missing |= {c: why for c in entry.capabilities if verdict.recognised or c not in missing}
            continue
        try:
            with defects_told():
                attachment = entry.attach(target)
        except TargetExited:
            for probe in probes:
                probe.close()
            raise
        except (ProbeError, TargetError) as error:
            failure = error
            missing |= dict.fromkeys(entry.capabilities, Missing(error.what, error.hint))
            log.append(f"{entry.name}: {error.what}")
            continue
        if verdict.runtime_version:
            target = replace(target, runtime=verdict.runtime, runtime_version=verdict.runtime_version)
        probes += attachment.probes
        missing |= attachment.missing
        log += attachment.log
    if not probes and failure is not None:
        raise failure
    given = _given(probes)
    missing = {capability: why for capability, why in missing.items() if capability not in given}
    return _Attached(target, Roster(probes, missing, clock), missing, tuple(log))


def _given(probes: Sequence[Probe]) -> frozenset[Capability]:
    return frozenset[Capability]().union(*(probe.capabilities for probe in probes))


class _Memory:
    """All that a watch remembers, and how a sample becomes a snapshot. Used by one thread at a time."""

    def __init__(self, interval_s: float, rules: Sequence[Rule]) -> None:
        self._history = History(interval_s)
        self._rules = rules
        self._log = AlertLog()
        self._trends = SiteTrends()
        self._cost = CostMeter()
        self._profile: Profile | None = None
        self._by_leaf: dict[Frame, tuple[Usage, int]] = {}
        self._groups: tuple[SiteGroup, ...] = ()
        self._groups_of: tuple[Profile | None, Baseline | None] = (None, None)
        self._attach_baseline: Baseline | None = None
        self.marked: Baseline | None = None

    def note(self, at_s: float, summary: str, severity: Severity = Severity.INFO) -> None:
        """Put a line into the alert log."""
        self._log.note(Finding(rule="memdash", severity=severity, at_s=at_s, summary=summary))

    def add(self, shown: Snapshot, sample: Sample) -> Snapshot:
        """The snapshot that follows ``shown`` once ``sample`` has been taken in."""
        self._history.append(sample)
        view = self._history.view()
        self._log.observe(sample.at.wall_s, {rule.name: rule.check(view) for rule in self._rules})
        if isinstance(sample.sites, Profile) and sample.sites is not self._profile:
            self._profile = sample.sites
            self._by_leaf = usage_by_leaf(sample.sites)
            self._trends.add(self.usage_by_frame)
        self._complete_baselines(sample)
        return self.refreshed(replace(shown, at=sample.at, sample=sample, history=view, cost=self._cost.measure()))

    def _complete_baselines(self, sample: Sample) -> None:
        """The first sample that has everything it will have counts as the attach.

        A baseline that was marked before the first profile takes that one, else all that there is were a change.
        """
        base = self._attach_baseline
        if base is None or (not base.usage_by_frame and self._by_leaf):
            self._attach_baseline = Baseline(sample.at, False, self.usage_by_frame)
        if self.marked is not None and not self.marked.usage_by_frame and self._by_leaf:
            self.marked = Baseline(sample.at, True, self.usage_by_frame)

    @property
    def usage_by_frame(self) -> dict[Frame, Usage]:
        """Usage of each leaf at the newest profile."""
        return {frame: usage for frame, (usage, _) in self._by_leaf.items()}

    def refreshed(self, shown: Snapshot) -> Snapshot:
        """The same moment with today's log and baseline."""
        baseline = self.marked or self._attach_baseline or shown.baseline
        return replace(
            shown,
            baseline=baseline,
            groups=self._grouped(shown.sample.sites, baseline),
            findings=self._log.entries,
            findings_dropped=self._log.dropped,
        )

    def _grouped(self, sites: Maybe[Profile], baseline: Baseline) -> Maybe[tuple[SiteGroup, ...]]:
        """Grouped once a profile and baseline: most ticks bring no new profile."""
        if isinstance(sites, Missing):
            return sites
        if self._groups_of[0] is not sites or self._groups_of[1] is not baseline:
            trends = {frame: self._trends.of(frame) for frame in self._by_leaf}
            self._groups = grouped(self._by_leaf, baseline.usage_by_frame, trends)
            self._groups_of = (sites, baseline)
        return self._groups


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
        baseline=Baseline(now, False),
    )


class Live:
    """A Session over a running process. It is also the sampler's Listener."""

    def __init__(
        self,
        target: Target,
        *,
        interval_s: float = 1.0,
        rules: Sequence[Rule] | None = None,
        watch: Watch | None = None,
        entries: Sequence[ProbeEntry] = PROBES,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._entries = entries
        self._memory = _Memory(interval_s, default_rules() if rules is None else rules)
        self._snapshot = _first_snapshot(target, self._clock, interval_s)
        self._listeners: list[Callable[[Snapshot], None]] = []
        self._lock = threading.Lock()
        self._sampler = Sampler(self._open, watch or Watcher(target), self._clock, interval_s, self)

    def start(self) -> None:
        """Attach and sample in a thread of its own."""
        self._sampler.start()

    def snapshot(self) -> Snapshot:
        """The newest moment."""
        return self._snapshot

    def subscribe(self, listener: Callable[[Snapshot], None]) -> None:
        """Add a listener; it is called on the sampler's thread."""
        self._listeners.append(listener)

    def mark_baseline(self) -> None:
        """Count changes from the newest sample on."""
        with self._lock:
            now = self._snapshot
            self._memory.marked = Baseline(now.at, True, self._memory.usage_by_frame)
            self._memory.note(now.at.wall_s, "baseline set")
            self._publish(self._memory.refreshed(now))

    def clear_baseline(self) -> None:
        """Count changes from the attach again."""
        with self._lock:
            if self._memory.marked is None:
                return
            self._memory.marked = None
            self._memory.note(self._snapshot.at.wall_s, "baseline cleared: changes count from the attach")
            self._publish(self._memory.refreshed(self._snapshot))

    def close(self) -> None:
        """Stop the thread."""
        self._sampler.stop()

    def _open(self) -> Roster:
        attached = _attach(self._snapshot.target, self._entries, self._clock)
        with self._lock:
            for line in attached.log:
                self._memory.note(self._clock.now().wall_s, line)
            self._snapshot = replace(self._snapshot, target=attached.target, missing=attached.missing)
        return attached.roster

    def on_sample(self, sample: Sample) -> None:
        """Take in one tick."""
        with self._lock:
            self._publish(self._memory.add(replace(self._snapshot, state=State.LIVE), sample))

    def on_end(self, ending: Ending) -> None:
        """Freeze on what was seen last."""
        with self._lock:
            target = self._snapshot.target
            self._memory.note(ending.at_s, f"{target.name} (pid {target.pid}) {ending.words}", Severity.CRITICAL)
            self._publish(self._memory.refreshed(replace(self._snapshot, state=State.ENDED, ending=ending)))

    def on_failure(self, error: MemdashError) -> None:
        """Say why nothing can be read at all, or nothing more: what was seen before stays."""
        with self._lock:
            now = self._clock.now()
            why = Missing(error.what, error.hint)
            self._memory.note(now.wall_s, error.what, Severity.CRITICAL)
            shown = replace(self._snapshot, state=State.REFUSED, missing=dict.fromkeys(Capability, why))
            if self._snapshot.state is State.ATTACHING:
                shown = replace(shown, at=now, sample=Sample.empty(now, why), groups=why)
            self._publish(self._memory.refreshed(shown))

    def _publish(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        for listener in self._listeners:
            listener(snapshot)


def read_once(
    target: Target,
    *,
    rules: Sequence[Rule] | None = None,
    entries: Sequence[ProbeEntry] = PROBES,
    clock: Clock | None = None,
) -> Snapshot:
    """Attach, read every probe one time, and let go. Raises MemdashError when nothing can be read."""
    clock = clock or SystemClock()
    attached = _attach(target, entries, clock)
    memory = _Memory(1.0, default_rules() if rules is None else rules)
    for line in attached.log:
        memory.note(clock.now().wall_s, line)
    shown = replace(_first_snapshot(attached.target, clock, 1.0), state=State.LIVE, missing=attached.missing)
    try:
        for sample in attached.roster.tick(clock.now()):
            shown = memory.add(shown, sample)
        return shown
    finally:
        attached.roster.close()
