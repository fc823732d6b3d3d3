"""The moments of a recorded watch, each as the snapshot that it was."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from heapq import nlargest
from pathlib import Path
from typing import Any, NamedTuple

from memdash.analysis.gc_trend import NO_START, gc_trend
from memdash.errors import Corrupt, RecordingError
from memdash.model.capability import Capability
from memdash.model.finding import Finding
from memdash.model.gc_trend import GcTrend
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.missing import Missing
from memdash.model.sample import Instant, Sample
from memdash.model.series import Courses, Series, Start, Timeline
from memdash.model.snapshot import Baseline, Snapshot, State
from memdash.model.target import Target
from memdash.model.tasks import Tasks
from memdash.pprof.garbage import without_collections
from memdash.recording.kept import Kept
from memdash.recording.moment import Moment, Run
from memdash.recording.reader import GoneError, Recording
from memdash.sampling.courses import CourseKeeper
from memdash.sampling.starts import SETTLING_S, started
from memdash.session.retold import judged_then, measured_then
from memdash.session.rows import ROWS, Rows, sizes

__all__ = ["Past"]

_TREND = 16
"""So many recorded readings make the trend of a row; they are a minute apart."""
_TREND_BYTES = 160 << 20
"""Of large ones fewer do, until they have taken so much to decode: one of 50 000 stacks takes a second and 54 MiB."""

_COURSE, _COURSE_BYTES = 40, 480 << 20
"""Likewise of its whole course."""
_WRITTEN_EVERY_S = 60.0
_FOLLOWED, _HELD_KEPT = 100, 100
"""Rows of a reading of which is remembered what they held, and of so many readings."""
_UNTIL_NOW_S = 1e10
_NOTHING = Series((), (), (), (), (), 1.0)


class _Held(NamedTuple):
    """When a reading was taken, what its largest rows held, and what it took to decode."""

    at: Instant
    sizes: Mapping[Any, int]
    bulk: int


class Past:
    """One run of a recording as snapshots, which are made by what makes those of a live watch. Safe from any thread.

    ``is_of_file`` says that nobody watches the target any more, ``close`` lets go of what is beside the recording.
    Raises RecordingError where the recording cannot be read.
    """

    def __init__(
        self, recording: Recording, *, is_of_file: bool = False, close: Callable[[], object] = lambda: None
    ) -> None:
        self._is_of_file = is_of_file
        self._let_go = close
        self._recording = recording
        self._lock = threading.RLock()
        self._series_lock = threading.Lock()  # charts do not wait for moments
        self._held = Kept[int, _Held](_HELD_KEPT)

    @property
    def path(self) -> Path | None:
        """Its file; None for what stands in none."""
        return self._recording.path

    @property
    def run(self) -> Run:
        """The run as it stands now: its first and newest moment, what was watched."""
        with self._lock:
            return self._recording.run

    @property
    def since(self) -> Instant:
        """The first moment that is left; never waits for one that is being made."""
        with self._series_lock:
            return self._recording.since

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs of the recording."""
        with self._lock:
            return self._recording.runs

    def of(self, target: Target) -> Past:
        """The newest run over another target. Raises RecordingError when there is none any more."""
        with self._lock:
            number = next((run.number for run in reversed(self._recording.runs) if run.target == target), None)
            if number is None:
                raise RecordingError(f"this recording holds nothing of {target.words} any more")
            path = self._recording.path
            recording = self._recording.of(number) if path is None else Recording.open(path, number)
            return Past(recording, is_of_file=self._is_of_file)

    @without_collections()
    def at(
        self, mono_s: float, baseline: Instant | None = None, *, beyond_s: float | None = None, is_quick: bool = False
    ) -> Snapshot:
        """The newest moment up to one of the monotonic clock, or the first; where there is one, it is ``beyond_s``.

        Changes count from the moment ``baseline``, or from the first reading. A quick answer has trends only of
        readings that have been looked at lately, which takes a tenth of the time.
        """
        with self._lock:
            run, moment = self._recording.run, self._recording.moment_by(mono_s)
            if beyond_s is not None and moment.at.mono_s <= beyond_s:
                moment = self._recording.moment_after(beyond_s) or moment
            rows = Rows()
            for capability in ROWS:
                if not isinstance(getattr(moment.sample, capability.value), Missing):
                    self._recall(rows, capability, moment.at, is_quick=is_quick)
            rows.take(moment.sample)
            rows.reside(self._when_mapped(moment.sample), run.target.runtime)
            if baseline is not None:
                rows.mark(baseline, self._recording.moment_by(baseline.mono_s).sample)
            shown = rows.filled(self._bare(run, moment, baseline))
            return replace(shown, courses=self._courses(run.since, moment.at), gc_trend=self._gc_trend(run, shown))

    @staticmethod
    def _gc_trend(run: Run, shown: Snapshot) -> GcTrend | None:
        if isinstance(shown.sample.gc, Missing):
            return None
        age_s = shown.at.wall_s - run.target.started_at_s
        return gc_trend(shown.history, shown.at.mono_s - age_s if run.target.is_local else NO_START)

    def _bare(self, run: Run, moment: Moment, baseline: Instant | None) -> Snapshot:
        since = baseline or run.since
        history = self.timeline(run.since, moment.at, since)
        return Snapshot(
            **moment.told,
            target=run.target,
            history=history,
            groups=moment.sample.sites if isinstance(moment.sample.sites, Missing) else (),
            baseline=Baseline(since, baseline is not None),
            findings=self._findings(moment, history),
            ending=run.ending if moment.state is State.ENDED else None,
            is_replayed=self._is_of_file,
        )

    def _findings(self, moment: Moment, history: Timeline) -> tuple[Finding, ...]:
        """The log as of a moment; of the memory as a whole, and of single figures, as they were at just this one."""
        log = self._recording.findings(moment.at.mono_s)
        return tuple(measured_then(judged_then(entry, moment.verdict), history) for entry in log)

    def timeline(self, since: Instant, until: Instant, baseline: Instant) -> RecordedTimeline:
        """The metrics from one moment up to another."""
        return RecordedTimeline(self, since, until, baseline)

    def series(self, key: str, since_s: float, until_s: float) -> Series:
        """The metric named ``key`` between two moments of the monotonic clock."""
        with self._series_lock:
            return self._recording.series(key, since_s, until_s)

    def when(self, wall_s: float) -> Instant:
        """The newest moment up to one of the wall clock, or the first."""
        with self._lock:
            return self._recording.instant_at(wall_s)

    def when_said(self, mono_s: float) -> Instant:
        """The first moment at which that was known which was said at one of the monotonic clock, or the newest."""
        with self._lock:
            return self._recording.instant_of(mono_s)

    def moments(self, takes: Callable[[float], bool] = lambda _: True) -> Iterator[Moment]:
        """Those that are wanted by their monotonic time, in order, for whoever has it for itself."""
        return self._recording.moments(0.0, _UNTIL_NOW_S, takes)

    def sayings(self) -> Iterator[tuple[float, Finding]]:
        """All that was said of alerts, and when (monotonic), in order."""
        return self._recording.sayings()

    def tasks(self, since_s: float, until_s: float) -> tuple[Tasks, ...]:
        """The tasks that were read between two moments of the monotonic clock, oldest first."""
        with self._lock:
            found = self._recording.facts(Capability.TASKS, max(since_s, 0.0), until_s)
            return tuple(dated.fact for dated in found if isinstance(dated.fact, Tasks))

    def mark(self, note: str, at: Instant) -> None:
        """Remember a moment in the file. Raises RecordingError when that cannot be written."""
        from memdash.recording.writer import Writer

        number = self._recording.number
        with self._left_alone() as path:
            if path is not None:
                with closing(Writer(path, appends=True)) as writer:
                    writer.mark(number, at, note)

    def require_markable(self) -> None:
        """Raise RecordingError when the file cannot be written: by nobody, or not while another memdash does."""
        from memdash.recording.place import Place

        with self._left_alone() as path:
            if path is not None:
                Place(path, appends=True).discard()

    @contextmanager
    def _left_alone(self) -> Iterator[Path | None]:
        """The file, which is not open meanwhile: SQLite would lose its locks on one that is opened once more here.

        None for what is recorded into none.
        """
        path, number = self._recording.path, self._recording.number
        if path is None:
            if self._is_of_file:
                raise RecordingError("what is left of a damaged recording cannot be marked", Corrupt.default_hint)
            yield None
            return
        with self._lock, self._series_lock:
            if not _is_file(path):  # as long as it stays open, what has been deleted can be looked at
                raise RecordingError(f"{path} is not there any more: no moment of it can be marked")
            self._recording.close()
            try:
                yield path
            except RecordingError as error:
                raise RecordingError(f"no moment of it can be marked: {error.what}") from None
            finally:
                self._recording = Recording.open(path, number)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The whole alert log, newest first."""
        with self._lock:
            return self._recording.findings()

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            self._recording.close()
            self._let_go()

    def _recall(self, rows: Rows, capability: Capability, until: Instant, *, is_quick: bool) -> None:
        """The first reading of a kind, and what its rows held at the newest ones before a moment."""
        for first in self._recording.facts(capability, 0.0, _UNTIL_NOW_S, most=1):
            rows.begin(capability, first.origin.at, first.fact, first.origin)
        since_s, left = until.mono_s - _TREND * _WRITTEN_EVERY_S, _TREND_BYTES
        recalled: list[_Held] = []
        for number in reversed(self._recording.readings(capability, since_s, until.mono_s, _TREND)[:-1]):
            if left > 0 and (number in self._held or not is_quick):
                with suppress(GoneError):  # a live watch prunes its recording meanwhile
                    recalled.append(self._held_at(capability, number))
                    left -= recalled[-1].bulk
        for then in reversed(recalled):
            rows.recall(capability, then.sizes)

    def _held_at(self, capability: Capability, number: int) -> _Held:
        """What the largest rows of a reading held. Raises GoneError."""

        def look() -> _Held:
            dated = self._recording.reading(number)
            held = sizes(capability, dated.fact)
            largest = {key: held[key] for key in nlargest(_FOLLOWED, held, key=held.__getitem__)}
            return _Held(dated.origin.at, largest, dated.bulk)

        return self._held.get(number, look)

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
            for number in self._course_of(capability, since.mono_s, until.mono_s):
                with suppress(GoneError):
                    then = self._held_at(capability, number)
                    keeper.add(then.at, then.sizes)
        return keeper.view()

    def _course_of(self, capability: Capability, since_s: float, until_s: float) -> tuple[int, ...]:
        """Readings that are evenly spread; how many depends on what the newest takes."""
        numbers = self._recording.readings(capability, since_s, until_s, _COURSE)
        with suppress(GoneError):
            bulk = self._held_at(capability, numbers[-1]).bulk if numbers else 0
            if bulk * len(numbers) > _COURSE_BYTES:
                return self._recording.readings(capability, since_s, until_s, max(_COURSE_BYTES // bulk, 2))
        return numbers


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder on the way may not be entered any more
        return False


class RecordedTimeline:
    """A Timeline over what was recorded up to one moment."""

    def __init__(self, past: Past, since: Instant, until: Instant, baseline: Instant) -> None:
        self._past = past
        self.since = since
        self.until = until
        self.baseline = baseline

    def series(self, key: str, span_s: float) -> Series:
        """The last ``span_s`` seconds before ``until``; empty where the recording cannot be read: a gap, as any."""
        try:
            return self._past.series(key, self.until.mono_s - span_s, self.until.mono_s)
        except RecordingError:
            return _NOTHING

    def start(self, key: str) -> Start | None:
        """Where changes of a metric count from, by what was recorded: to the minute where that was long ago."""
        began_s = self.baseline.mono_s
        settled_s = began_s + SETTLING_S if self.baseline == self.since else -math.inf
        return started(self.series(key, self.until.mono_s - began_s), METRICS_BY_KEY[key].kind, settled_s)


class RecordedCourses:
    """Courses that are read when the first of them is asked for."""

    def __init__(self, read: Callable[[], Courses]) -> None:
        self._read = read
        self._courses: Courses | None = None

    def of(self, key: Hashable) -> Series:
        """What a row held over the watch; empty when it was never among the largest."""
        if self._courses is None:
            try:
                self._courses = self._read()
            except RecordingError:
                return _NOTHING
        return self._courses.of(key)
