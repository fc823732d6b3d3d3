"""The moments of a recorded watch, each as the snapshot that it was."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import partial
from heapq import nlargest
from typing import Any

from memdash.model.capability import Capability
from memdash.model.finding import Finding
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Sample
from memdash.model.series import Courses, Series
from memdash.model.snapshot import Baseline, Snapshot, State
from memdash.recording.moment import Mark, Moment, Run
from memdash.recording.reader import Recording
from memdash.sampling.courses import CourseKeeper
from memdash.session.rows import ROWS, Rows, sizes

__all__ = ["Past"]

_TREND = 16
"""So many recorded readings make the trend of a row; they are a minute apart."""

_COURSE = 40
_WRITTEN_EVERY_S = 60.0
_FOLLOWED, _SIZES_KEPT = 200, 200
"""Rows of a reading of which is remembered what they held, and of so many readings."""
_UNTIL_NOW_S = 1e10


class Past:
    """One run of a recording as snapshots, which are made by what makes those of a live watch. Safe from any thread.

    Raises RecordingError where the recording cannot be read.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._lock = threading.RLock()
        self._sizes: OrderedDict[int, Mapping[Any, int]] = OrderedDict()

    @property
    def run(self) -> Run:
        """The run as it stands now: its first and newest moment, what was watched."""
        with self._lock:
            return self._recording.run

    def at(self, mono_s: float, baseline: Sample | None = None, *, readings: int = _TREND) -> Snapshot:
        """The newest moment up to one of the monotonic clock, or the first.

        Changes count from ``baseline``, or from the first reading. The trends of rows are made of the newest
        ``readings``; fewer take less time.
        """
        with self._lock:
            run, moment = self._recording.run, self._recording.moment_by(mono_s)
            rows = Rows()
            for capability in ROWS:
                if not isinstance(getattr(moment.sample, capability.value), Missing):
                    self._recall(rows, capability, moment.at, readings)
            rows.take(moment.sample)
            rows.reside(self._when_mapped(moment.sample), run.target.runtime)
            if baseline is not None:
                rows.mark(baseline.at, baseline)
            shown = rows.filled(self._bare(run, moment, baseline))
            return replace(shown, courses=self._courses(run.since, moment.at))

    def _bare(self, run: Run, moment: Moment, baseline: Sample | None) -> Snapshot:
        since = run.since if baseline is None else baseline.at
        return Snapshot(
            target=run.target,
            state=moment.state,
            at=moment.at,
            interval_s=moment.interval_s,
            sample=moment.sample,
            history=self.timeline(moment.at, since),
            groups=moment.sample.sites if isinstance(moment.sample.sites, Missing) else (),
            baseline=Baseline(since, baseline is not None),
            findings=self._recording.findings(moment.at.wall_s),
            missing=moment.missing,
            cost=moment.cost,
            ending=run.ending if moment.state is State.ENDED else None,
            silence=moment.silence,
            verdict=moment.verdict,
        )

    def timeline(self, until: Instant, baseline: Instant | None = None) -> RecordedTimeline:
        """The metrics up to one moment."""
        with self._lock:
            since = self._recording.since
        return RecordedTimeline(self, since, until, baseline or since)

    def series(self, key: str, since_s: float, until_s: float) -> Series:
        """The metric named ``key`` between two moments of the monotonic clock."""
        with self._lock:
            return self._recording.series(key, since_s, until_s)

    def after(self, mono_s: float) -> Instant | None:
        """The first moment after one of the monotonic clock."""
        with self._lock:
            return self._recording.moment_after(mono_s)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The whole alert log, newest first."""
        with self._lock:
            return self._recording.findings(_UNTIL_NOW_S)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All of them, in order."""
        with self._lock:
            return self._recording.marks()

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            self._recording.close()

    def _recall(self, rows: Rows, capability: Capability, until: Instant, most: int) -> None:
        """The first reading of a kind, and what its rows held at the newest ones before a moment."""
        for first in self._recording.facts(capability, 0.0, _UNTIL_NOW_S, most=1):
            rows.begin(capability, first.origin.at, first.fact, first.origin)
        since_s = until.wall_s - most * _WRITTEN_EVERY_S
        for number in self._recording.readings(capability, since_s, until.wall_s, most)[:-1] if most else ():
            rows.recall(capability, self._sizes_of(capability, number))

    def _sizes_of(self, capability: Capability, number: int) -> Mapping[Any, int]:
        if number not in self._sizes:
            held = sizes(capability, self._recording.reading(number).fact)
            largest = nlargest(_FOLLOWED, held, key=held.__getitem__)
            self._sizes[number] = {key: held[key] for key in largest}
            while len(self._sizes) > _SIZES_KEPT:
                self._sizes.popitem(last=False)
        self._sizes.move_to_end(number)
        return self._sizes[number]

    def _when_mapped(self, sample: Sample) -> Sample:
        """The counters of the moment at which the mappings of a sample were read."""
        origin = sample.origins.get(Capability.MAPPINGS)
        if origin is None or origin.at.mono_s >= sample.at.mono_s:
            return sample
        return self._recording.moment_by(origin.at.mono_s).sample

    def _courses(self, since: Instant, until: Instant) -> Mapping[Capability, Courses]:
        return {capability: RecordedCourses(partial(self._course, capability, since, until)) for capability in ROWS}

    def _course(self, capability: Capability, since: Instant, until: Instant) -> Courses:
        keeper = CourseKeeper()
        with self._lock:
            for number in self._recording.readings(capability, since.wall_s, until.wall_s, _COURSE):
                keeper.add(self._recording.reading(number).origin.at, self._sizes_of(capability, number))
        return keeper.view()


class RecordedTimeline:
    """A Timeline over what was recorded up to one moment."""

    def __init__(self, past: Past, since: Instant, until: Instant, baseline: Instant) -> None:
        self._past = past
        self.since = since
        self.until = until
        self.baseline = baseline

    def series(self, key: str, span_s: float) -> Series:
        """The last ``span_s`` seconds before ``until``."""
        return self._past.series(key, self.until.mono_s - span_s, self.until.mono_s)


class RecordedCourses:
    """Courses that are read when the first of them is asked for."""

    def __init__(self, read: Callable[[], Courses]) -> None:
        self._read = read
        self._courses: Courses | None = None

    def of(self, key: Hashable) -> Series:
        """What a row held over the watch; empty when it was never among the largest."""
        if self._courses is None:
            self._courses = self._read()
        return self._courses.of(key)
