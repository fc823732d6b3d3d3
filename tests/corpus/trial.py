"""One series put before a detector, tick by tick: when it raised an alarm first, and what each look cost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from memdash.analysis.judge import Judge
from memdash.model.finding import Severity
from memdash.model.missing import Missing
from memdash.model.sample import Sample
from memdash.model.series import Timeline
from tests.corpus.recording import Recording

__all__ = ["Detector", "Look", "Trial", "try_on", "verdicts"]

Look = Callable[[Timeline], tuple[bool, str]]
"""Says for a history whether it alarms, and what it thinks."""

Detector = Callable[[], Look]
"""Makes one for each series."""

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
        """A leak was never found, though there was time for it."""
        due = self.due_s <= self.recording.times_s[-1]
        return self.alarm_s is None and self.recording.label.leaks and due

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
        cycles_s = math.inf
    return max(begin_s + _DEADLINE_S, cycles_s)


def verdicts(age_s: float = math.inf) -> Look:
    """memdash itself, on a program that old at first."""
    judge = Judge()

    def look(history: Timeline) -> tuple[bool, str]:
        verdict, _ = judge.look(
            history, Sample.empty(history.until, Missing("not recorded")), history.since.mono_s - age_s
        )
        return verdict.severity >= Severity.WARNING, f"{verdict.kind.value}: {verdict.why}"

    return look
