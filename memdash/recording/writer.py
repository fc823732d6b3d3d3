"""What writes a recording: moments as they come, a minute of them together once it is over."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias

from memdash import __version__
from memdash.errors import RecordingError
from memdash.model.capability import Capability
from memdash.model.finding import Finding, mark
from memdash.model.metric import METRICS
from memdash.model.missing import Missing
from memdash.model.sample import Fact, Instant, Origin, ProbeCost
from memdash.model.target import Ending, Target
from memdash.recording.alike import Alike
from memdash.recording.codec import (
    Dated,
    as_base,
    compressed,
    decoded_plain,
    encoded,
    encoded_fact,
    encoded_moment,
    packed_moments,
)
from memdash.recording.copying import copied
from memdash.recording.moment import APART, Moment
from memdash.recording.place import Place
from memdash.recording.pruning import PRIVATE, Limits, prune
from memdash.recording.tables import made_private, micros, moved, opened_to_write, settled
from memdash.recording.tiers import STEPS_S, Buckets, bucketed, joined

__all__ = ["Writer"]

_MINUTE, _HOUR = 60_000_000, 3_600_000_000
_FACT_EVERY_S = 60.0
_KEYS = [metric.key for metric in METRICS]


_Row: TypeAlias = tuple[int, int, bytes, bytes]
"""A moment: when on both clocks, itself, its metrics."""


def _in_order(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    """Cut where the wall clock was set back: within a piece both clocks rise."""
    cuts = [place for place, (before, row) in enumerate(pairwise(rows), start=1) if row[1] < before[1]]
    for first, after in pairwise([0, *cuts, len(rows)]):
        yield rows[first:after]


class _Waiting(NamedTuple):
    """A reading that has not been written yet, and the moment in which it first stood."""

    at: Instant
    dated: Dated


@dataclass
class _Course:
    """Where one run stands. Replaced as a whole, so that a transaction that fails leaves no trace."""

    mono: int = 0
    wall: int = 0
    costs_of: int = -1
    costs: Mapping[str, ProbeCost] = field(default_factory=dict)
    seen: dict[Capability, Fact] = field(default_factory=dict)
    waiting: dict[Capability, _Waiting] = field(default_factory=dict)
    written_s: dict[Capability, float] = field(default_factory=dict)
    bases: dict[Capability, tuple[int, int]] = field(default_factory=dict)
    sources: dict[Capability, str] = field(default_factory=dict)

    def __copy__(self) -> _Course:
        return replace(
            self,
            seen=dict(self.seen),
            waiting=dict(self.waiting),
            written_s=dict(self.written_s),
            bases=dict(self.bases),
            sources=dict(self.sources),
        )


class Writer:
    """Writes runs into one recording; threads may share it, each with runs of its own. RecordingError where it cannot.

    Without a path it is a private database, which ends with this process. A file must be new, unless the writer
    ``appends`` to a recording or ``replaces`` whatever is there, which stays until the first run has begun. ``write``
    is one transaction: what it was given is there afterwards, or none of it.
    """

    def __init__(
        self, path: Path | None = None, limits: Limits = PRIVATE, *, appends: bool = False, replaces: bool = False
    ) -> None:
        self._place = None if path is None else Place(path, appends=appends, replaces=replaces)
        try:
            self.database = made_private() if self._place is None else opened_to_write(self._place.working)
        except BaseException:
            if self._place is not None:
                self._place.discard()
            raise
        self.path = path
        self._alike = Alike(self.database, kept=1)
        self._limits = limits
        self._courses: dict[int, _Course] = {}
        self._is_closed = False
        self._lock = threading.Lock()

    def begin(self, target: Target, at: Instant, interval_s: float, *, number: int | None = None) -> int:
        """A new run over ``target``; its number, which is a free one unless it is given."""
        with self._lock:  # several runs may begin at once, each on a thread of its own
            number = self.database.run(
                "INSERT INTO run (number, target, wall, mono, interval_s, version, metrics)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                number,
                encoded(Target, target),
                micros(at.wall_s),
                micros(at.mono_s),
                interval_s,
                __version__,
                compressed(_KEYS),
            )
            if self._place is not None and not self._place.is_taken:
                self._take(self._place, number)
        self._courses[number] = _Course()
        return number

    def _take(self, place: Place, run: int) -> None:
        """The first run has begun, so that what is to be replaced can go."""
        try:
            moved(self.database, place.path)
        except RecordingError:
            with suppress(RecordingError):
                self.database.run("DELETE FROM run WHERE number = ?", run)
            raise
        place.taken()

    def know(self, run: int, target: Target) -> None:
        """The target as it is known by now: an attach tells its runtime."""
        self.database.run("UPDATE run SET target = ? WHERE number = ?", encoded(Target, target), run)

    def write(
        self, run: int, moments: Sequence[Moment], findings: Iterable[Finding] = (), *, keep: bool = False
    ) -> None:
        """One batch: moments in order, and findings that are new or have changed.

        A fact of many rows is written at most once a minute; ``keep`` has the newest of each kind written at once,
        because somebody will want to look at just this moment.
        """
        with self._changing(run) as course:
            for moment in moments:
                self._put(run, course, moment)
            for finding in findings:
                self._put_finding(run, finding, course.wall)
            if keep:
                self._put_waiting(run, course)

    def mark(self, run: int, at: Instant, note: str) -> None:
        """Remember a moment, with what somebody says of it; its facts are kept in full. The run may be over."""
        with self._changing(run) as course:
            self._put_finding(run, mark(at.wall_s, note), micros(at.wall_s))
            self.database.run("INSERT INTO mark VALUES (?, ?, ?, ?)", run, micros(at.mono_s), micros(at.wall_s), note)
            self._put_waiting(run, course)

    def end(self, run: int, ending: Ending | None = None) -> None:
        """Nothing more will come of this run: write what is still to be written."""
        with self._changing(run) as course:
            self._put_waiting(run, course)
            self._pack(run, course.mono + _MINUTE)
            self._join_hours(run, course.mono + _HOUR)
            if ending is not None:
                self.database.run("UPDATE run SET ending = ? WHERE number = ?", encoded(Ending, ending), run)
        del self._courses[run]

    @property
    def is_empty(self) -> bool:
        """Whether no run has begun in it."""
        return not self.database.rows("SELECT 1 FROM run LIMIT 1")

    @property
    def used_bytes(self) -> int:
        """What it takes."""
        return self.database.used_bytes

    def close(self) -> None:
        """A file that was made for it and has no run in it goes. May be called twice."""
        is_empty = False
        try:
            if self._place is not None and not self._is_closed:
                self._is_closed = True
                with suppress(RecordingError):
                    is_empty = self.is_empty or not self._place.is_taken
                with suppress(RecordingError):
                    settled(self.database)
            self.database.close()
        finally:
            if self._place is not None and is_empty:
                self._place.discard()
            elif self._place is not None:
                self._place.close()

    def absorb(self, other: Writer) -> None:
        """Take in what another has written of runs that have begun here, and go on where it stands."""
        self._require_place()
        courses = {run: replace(course, bases={}) for run, course in other._courses.items()}
        with self.database.transaction():
            copied(other.database, self.database)
            for run, course in courses.items():
                self._pack(run, course.mono)  # what is loose is newer than all minutes, to whoever reads
        self._courses |= courses

    def _require_place(self) -> None:
        """To SQLite a file that has been deleted is as good as any."""
        if self._place is not None:
            self._place.require_there()

    @contextmanager
    def _changing(self, run: int) -> Iterator[_Course]:
        self._require_place()
        course = copy(self._courses.get(run) or _Course())
        with self.database.transaction():
            yield course
        self._courses[run] = course

    def _put(self, run: int, course: _Course, moment: Moment) -> None:
        mono, wall = micros(moment.at.mono_s), micros(moment.at.wall_s)
        if course.mono // _MINUTE < mono // _MINUTE:
            self._pack(run, mono)
            if course.mono // _HOUR < mono // _HOUR:
                self._join_hours(run, mono)
            prune(self.database, self._limits, run, moment.at, self._courses)
        course.mono, course.wall = max(mono, course.mono), wall
        if course.costs_of != mono // _MINUTE:
            course.costs_of, course.costs = mono // _MINUTE, moment.sample.costs
        values = [metric.seen(moment.sample) for metric in METRICS]
        self.database.run(
            "INSERT OR REPLACE INTO moment VALUES (?, ?, ?, ?, ?)",
            run,
            mono,
            wall,
            encoded_moment(replace(moment, sample=replace(moment.sample, costs=course.costs))),
            compressed(values, 1),
        )
        for capability, origin in moment.sample.origins.items():
            self._follow_source(run, course, capability, origin, mono)
        for capability in APART:
            self._take_fact(run, course, capability, moment)

    def _follow_source(self, run: int, course: _Course, capability: Capability, origin: Origin, mono: int) -> None:
        """Where a capability begins to be read from another source, its metrics begin anew."""
        source = origin.source.value
        if course.sources.get(capability) != source:
            course.sources[capability] = source
            self.database.run("INSERT INTO source VALUES (?, ?, ?, ?)", run, capability.value, mono, source)

    def _take_fact(self, run: int, course: _Course, capability: Capability, moment: Moment) -> None:
        fact, origin = getattr(moment.sample, capability.value), moment.sample.origins.get(capability)
        if not isinstance(fact, Missing) and origin is not None and fact is not course.seen.get(capability):
            course.seen[capability] = fact
            course.waiting[capability] = _Waiting(moment.at, Dated(fact, origin))
        due_s = course.written_s.get(capability, -_FACT_EVERY_S) + _FACT_EVERY_S
        if capability in course.waiting and (moment.at.mono_s >= due_s or capability not in course.written_s):
            self._put_fact(run, course, capability)

    def _put_waiting(self, run: int, course: _Course) -> None:
        for capability in list(course.waiting):
            self._put_fact(run, course, capability)

    def _put_fact(self, run: int, course: _Course, capability: Capability) -> None:
        """The first of an hour is written in full, and is the base of those that follow."""
        at, dated = course.waiting.pop(capability)
        mono = micros(at.mono_s)
        number, hour = course.bases.get(capability, (None, -1))
        base = None
        if hour == mono // _HOUR:
            rows = self.database.rows("SELECT data FROM fact WHERE id = ?", number)
            base = as_base(rows[0][0]) if rows else None  # it may have had to make room
        written = self.database.run(
            "INSERT INTO fact (run, kind, mono, wall, base, data) VALUES (?, ?, ?, ?, ?, ?)",
            run,
            capability.value,
            mono,
            micros(at.wall_s),
            None if base is None else number,
            encoded_fact(dated, base),
        )
        if base is None:
            course.bases[capability] = written, mono // _HOUR
        course.written_s[capability] = at.mono_s

    def _put_finding(self, run: int, finding: Finding, now: int) -> None:
        """What happened at one moment is told apart by its words, what goes on by its rule and beginning.

        Of what goes on, the first that was said of it stays, and of each minute the last.
        """
        has_happened = finding.ended_at_s == finding.at_s
        began, ended = micros(finding.at_s), micros(finding.ended_at_s or 0.0)
        said = max(now, began, ended) if not has_happened else began
        entry = run, began, finding.rule, finding.summary if has_happened else ""
        minute = said - said % _MINUTE
        self.database.run(
            "DELETE FROM finding WHERE run = ?1 AND wall = ?2 AND rule = ?3 AND note = ?4 AND said BETWEEN ?5 AND ?6"
            " AND said > (SELECT min(said) FROM finding WHERE run = ?1 AND wall = ?2 AND rule = ?3 AND note = ?4)",
            *entry,
            minute,
            minute + _MINUTE - 1,
        )
        self.database.run(
            "INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?)", *entry, said, encoded(Finding, finding)
        )

    def _pack(self, run: int, until: int) -> None:
        """Put the moments of each minute that ended before ``until`` together, and their metrics into buckets."""
        before = until - until % _MINUTE
        rows = self.database.rows(
            "SELECT mono, wall, data, metrics FROM moment WHERE run = ? AND mono < ? ORDER BY mono", run, before
        )
        for _, group in groupby(rows, key=lambda row: row[0] // _MINUTE):
            minute = list(group)
            for piece in _in_order(minute):
                self._put_minute(run, piece)
            samples = [(mono / 1e6, decoded_plain(metrics)) for mono, _, _, metrics in minute]
            for step_s in STEPS_S:
                self._put_buckets(run, step_s, bucketed(step_s, _KEYS, samples))
        self.database.run("DELETE FROM moment WHERE run = ? AND mono < ?", run, before)

    def _put_minute(self, run: int, rows: Sequence[_Row]) -> None:
        monos, walls, data, _ = zip(*rows, strict=True)
        self.database.run(
            "INSERT OR REPLACE INTO minute VALUES (?, ?, ?, ?, ?, ?, ?)",
            run,
            monos[0],
            monos[-1],
            walls[0],
            walls[-1],
            *self._alike.encoded(run, "minute", packed_moments(walls, monos, data)),
        )

    def _put_buckets(self, run: int, step_s: int, buckets: Buckets) -> None:
        self.database.run(
            "INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?)",
            run,
            step_s,
            micros(buckets.times_s[0]),
            micros(buckets.seen_s[-1]),
            *self._alike.encoded(run, f"series {step_s}", buckets.tree(_KEYS)),
        )

    def _join_hours(self, run: int, until: int) -> None:
        """Put the coarser buckets of each hour that ended before ``until`` together: a day is few rows then."""
        before = until - until % _HOUR
        for step_s in STEPS_S[1:]:
            rows = self.database.rows(
                "SELECT alike, data FROM series WHERE run = ? AND step = ? AND mono >= ? AND mono < ? ORDER BY mono",
                run,
                step_s,
                before - _HOUR,
                before,
            )
            if len(rows) > 1:
                parts = [Buckets.of(decoded_plain(data, self._alike.of(alike)), _KEYS) for alike, data in rows]
                self.database.run(
                    "DELETE FROM series WHERE run = ? AND step = ? AND mono >= ? AND mono < ?",
                    run,
                    step_s,
                    before - _HOUR,
                    before,
                )
                self._put_buckets(run, step_s, joined(parts))
