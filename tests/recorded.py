"""A watch that was recorded, and the snapshots that whoever watched it had: handmade figures, the real code."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from memdash.analysis.alerts import AlertLog
from memdash.analysis.rules import default_rules
from memdash.model.capability import Capability, Source
from memdash.model.finding import Finding, Severity
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Origin, Sample
from memdash.model.snapshot import Baseline, Snapshot, State
from memdash.model.target import Ending, Target
from memdash.recording.moment import Moment
from memdash.recording.writer import Writer
from memdash.sampling.history import History
from memdash.session.memory import Memory
from memdash.units import MIB
from tests.fakes import NOON_S, a_gc, a_profile, a_sample, a_system, a_target, memstats, some_threads

__all__ = ["MONO_S", "record", "watched", "with_clock_set"]

MONO_S = 36_000.0
"""A whole hour, so that minutes and hours of the recording are those of the clock of the tests."""

_READ_EVERY_S = 60


@cache
def watched(
    seconds: int, *, gaps: tuple[range, ...] = (), ends: bool = False, target: Target | None = None
) -> Sequence[Snapshot]:
    """One snapshot a second of a server whose heap and goroutines grow; profile and tasks are read once a minute."""
    chance, memory = random.Random(3), Memory(1.0, default_rules())
    shown = _attached(target or a_target())
    total, live, heap, numgc = 81 << 30, 300.0 * MIB, 310.0 * MIB, 4100
    seen = []
    for second in range(seconds):
        rate = 9 * MIB * (0.8 + 0.4 * chance.random())
        total, heap, live = total + int(rate), heap + rate, live + 200_000
        if heap > live * 1.3:
            heap, numgc = live, numgc + 1
        if any(second in gap for gap in gaps):
            continue
        at, read = Instant(NOON_S + second, MONO_S + second), second - second % _READ_EVERY_S
        facts: tuple[Any, ...] = (
            memstats(int(heap), TotalAlloc=total, NumGC=numgc),
            a_gc(live_after_gc_bytes=int(live), count=numgc),
            a_system(rss_bytes=int(heap) + 150 * MIB),
        )
        if read == second:
            profile, tasks = a_profile(1 + second / 1000), some_threads()
            tasks = replace(tasks, groups=(replace(tasks.groups[0], count=8 + second // 60), *tasks.groups[1:]))
        sample = a_sample(at, *facts, profile, tasks)
        read_at = Instant(NOON_S + read, MONO_S + read)
        origins = dict(sample.origins)
        origins |= {c: Origin(Source.MEMORY, read_at) for c in (Capability.SITES, Capability.TASKS)}
        shown = memory.add(shown, replace(sample, origins=origins))
        seen.append(shown)
    if ends:
        ending = Ending(at_s=seen[-1].at.wall_s, exit_code=137)
        seen.append(memory.refreshed(replace(shown, state=State.ENDED, ending=ending)))
    return seen


def with_clock_set(
    seen: Sequence[Snapshot], sets: Mapping[int, float], alerts: Mapping[str, range]
) -> Sequence[Snapshot]:
    """The same with a wall clock that somebody set by so many seconds at these, and alerts of these alone."""
    log, apart_s, watch = AlertLog(), 0.0, []
    for second, shown in enumerate(seen):
        apart_s += sets.get(second, 0.0)
        at = Instant(shown.at.wall_s + apart_s, shown.at.mono_s)
        log.observe(at, {rule: _alert(rule) if second in holds else None for rule, holds in alerts.items()})
        sample = replace(shown.sample, at=at)
        watch.append(replace(shown, at=at, sample=sample, findings=log.entries, transitions=log.news()))
    return watch


def _alert(rule: str) -> Finding:
    return Finding(rule=rule, severity=Severity.WARNING, at_s=0.0, summary=f"{rule} holds")


def _attached(target: Target) -> Snapshot:
    at, waiting = Instant(NOON_S, MONO_S), Missing("attaching")
    return Snapshot(
        target=target,
        state=State.LIVE,
        at=at,
        interval_s=1.0,
        sample=Sample.empty(at, waiting),
        history=History(1.0).view(),
        groups=waiting,
        baseline=Baseline(at, False),
    )


def record(
    path: Path, seen: Sequence[Snapshot], marks: Sequence[tuple[int, str]] = (), *, appends: bool = False
) -> int:
    """Write what was seen, as a recorder would; the number of the run."""
    writer = Writer(path, appends=appends)
    run = writer.begin(seen[0].target, seen[0].at, seen[0].interval_s)
    written: dict[int, Any] = {}
    for snapshot in seen:
        changed = [finding for finding in reversed(snapshot.findings) if id(finding) not in written]
        written |= {id(finding): finding for finding in changed}
        writer.write(run, [Moment.of(snapshot)], changed)
        for second, note in marks:
            if snapshot.at.wall_s == NOON_S + second:
                writer.mark(run, snapshot.at, note)
    writer.end(run, seen[-1].ending)
    writer.close()
    return run
