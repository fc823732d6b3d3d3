"""One series put before a detector, tick by tick: when it raised an alarm first, and what each look cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from memdash.analysis.judge import Judge
from memdash.model.finding import Severity
from memdash.model.missing import Missing
from memdash.model.sample import Sample
from memdash.model.series import Timeline
from tests.corpus.recording import Recording

__all__ = ["Detector", "Trial", "naive", "try_on", "verdicts"]

Detector = Callable[[], Callable[[Timeline], tuple[bool, str]]]
"""Made anew for each series; says for a history whether it alarms, and why or what it thinks."""

_DEADLINE_S, _DEADLINE_CYCLES = 300.0, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """``alarm_s`` is when it alarmed first, ``due_s`` when it should have at the latest, had it been a leak.

    ``story`` holds what it said, with the time of each change; ``costs_s`` the CPU time of each look.
    """

    recording: Recording
    alarm_s: float | None
    due_s: float
    story: tuple[tuple[float, str], ...]
    costs_s: tuple[float, ...]

    @property
    def is_false_alarm(self) -> bool:
        """Something healthy was called a leak."""
        return self.alarm_s is not None and not self.recording.label.leaks

    @property
    def is_miss(self) -> bool:
        """A leak was never found."""
        return self.alarm_s is None and self.recording.label.leaks

    @property
    def is_late(self) -> bool:
        """A leak was found, but neither within five minutes nor within 20 cycles."""
        return self.alarm_s is not None and self.recording.label.leaks and self.alarm_s > self.due_s


def try_on(recording: Recording, detector: Detector, every: int = 1) -> Trial:
    """Let it look at every so many samples."""
    look = detector()
    alarm_s: float | None = None
    story: list[tuple[float, str]] = []
    costs_s: list[float] = []
    for index, (time_s, history) in enumerate(recording.watched()):
        if index % every:
            continue
        before_s = time.thread_time()
        alarms, words = look(history)
        costs_s.append(time.thread_time() - before_s)
        if alarms and alarm_s is None:
            alarm_s = time_s
        if not story or story[-1][1] != words:
            story.append((time_s, words))
    return Trial(
        recording=recording, alarm_s=alarm_s, due_s=_due_s(recording), story=tuple(story), costs_s=tuple(costs_s)
    )


def _due_s(recording: Recording) -> float:
    """Five minutes after the leak began, or 20 cycles, whichever takes longer."""
    begin_s = recording.leaks_from_s
    counts = [
        (time_s, count)
        for time_s, count in zip(recording.times_s, recording.columns.get("NumGC", ()), strict=False)
        if count is not None and time_s >= begin_s
    ]
    cycles_s = next((time_s for time_s, count in counts if count >= counts[0][1] + _DEADLINE_CYCLES), 0.0)
    if counts and not cycles_s:
        cycles_s = recording.times_s[-1]
    return max(begin_s + _DEADLINE_S, cycles_s)


def verdicts() -> Callable[[Timeline], tuple[bool, str]]:
    """memdash itself."""
    judge = Judge()

    def look(history: Timeline) -> tuple[bool, str]:
        verdict, _ = judge.look(history, Sample.empty(history.until, Missing("not recorded")))
        return verdict.severity >= Severity.WARNING, f"{verdict.kind.value}: {verdict.why}"

    return look


def naive(name: str) -> Detector:
    """What one would write at first, over the live heap of the last five minutes."""

    def values(history: Timeline) -> list[float]:
        known = history.series("heap.live_bytes", 300.0).known or history.series("system.rss_bytes", 300.0).known
        return [value for _, value in known]

    def last_minus_first() -> Callable[[Timeline], tuple[bool, str]]:
        def look(history: Timeline) -> tuple[bool, str]:
            seen = values(history)
            return len(seen) >= 60 and seen[-1] - seen[0] > max(0.002 * seen[0], 50 << 10), ""

        return look

    def each_larger() -> Callable[[Timeline], tuple[bool, str]]:
        def look(history: Timeline) -> tuple[bool, str]:
            seen = values(history)[:: max(len(values(history)) // 10, 1)]
            return len(seen) >= 10 and all(b > a for a, b in pairwise(seen)), ""

        return look

    def over_first() -> Callable[[Timeline], tuple[bool, str]]:
        first: list[float] = []

        def look(history: Timeline) -> tuple[bool, str]:
            seen = values(history)
            if seen and not first:
                first.append(seen[0])
            return bool(first) and seen[-1] > 1.2 * first[0], ""

        return look

    return {"last minus first": last_minus_first, "each larger": each_larger, "over the first": over_first}[name]
