"""What writes a recording: moments as they come, a minute of them together once it is over."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import TypeAlias

from memdash import __version__
from memdash.errors import RecordingError
from memdash.model.capability import Capability
from memdash.model.finding import Finding, mark
from memdash.model.metric import METRICS
from memdash.model.sample import Instant, Origin, ProbeCost
from memdash.model.target import Ending, Target
from memdash.recording.alike import Alike
from memdash.recording.codec import (
    compressed,
    decoded,
    decoded_plain,
    encoded,
    encoded_moment,
    packed_moments,
)
from memdash.recording.copying import copied
from memdash.recording.facts import Facts
from memdash.recording.hindsight import AFTER_S
from memdash.recording.moment import Moment
from memdash.recording.place import Place
from memdash.recording.pruning import PRIVATE, Limits, prune
from memdash.recording.tables import HOUR, MINUTE, made_private, micros, moved, opened_to_write, settled
from memdash.recording.tiers import STEPS_S, Buckets, bucketed, joined

__all__ = ["Writer"]

_TOGETHER = 100
"""Moments in one piece: their trees take up to 5 MiB while it is made; those of a whole minute at 10 Hz took 29."""
_KEYS = [metric.key for metric in METRICS]


_Row: TypeAlias = tuple[int, int, bytes, bytes]
"""A moment: when on both clocks, itself, its metrics."""


def _in_order(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    """Cut where the wall clock was set back: within a piece both clocks rise. None has more than ``_TOGETHER``."""
    cuts = [place for place, (before, row) in enumerate(pairwise(rows), start=1) if row[1] < before[1]]
    for first, after in pairwise([0, *cuts, len(rows)]):
        for at in range(first, after, _TOGETHER):
            yield rows[at : min(at + _TOGETHER, after)]


@dataclass
class _Course:
    """Where one run stands: its newest moment, and the time of what is said now.

    Replaced as a whole, so that a transaction that fails leaves no trace.
    """

    mono: int = 0
    said: int = 0
    costs_of: int = -1
    costs: Mapping[str, ProbeCost] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    sources: dict[Capability, str] = field(default_factory=dict)

    def __copy__(self) -> _Course:
        return replace(self, facts=copy(self.facts), sources=dict(self.sources))


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
        """One batch: moments in order, and findings that are new or have changed by the last of them.

        A fact of many rows is written at most once a minute; ``keep`` has the newest of each kind written at once,
        because somebody will want to look at just this moment.
        """
        with self._changing(run, moments, keep=keep) as course:
            for finding in findings:
                self._put_finding(run, finding, course.said)

    def say(self, run: int, sayings: Iterable[tuple[float, Finding]]) -> None:
        """What another recording holds of alerts, and when that was said (monotonic), in order."""
        with self._changing(run):
            for said_s, finding in sayings:
                self._put_finding(run, finding, micros(said_s))

    def mark(self, run: int, at: Instant, note: str) -> None:
        """Remember a moment, with what somebody says of it; its facts are kept in full. The run may be over."""
        with self._changing(run):
            self._put_finding(run, mark(at, note), micros(at.mono_s))
            self.database.run("INSERT INTO mark VALUES (?, ?, ?, ?)", run, micros(at.mono_s), micros(at.wall_s), note)

    def end(self, run: int, ending: Ending | None = None) -> None:
        """Nothing more will come of this run: write what is still to be written."""
        with self._changing(run) as course:
            self._pack(run, course.mono + MINUTE)
            self._join_hours(run, course.mono + HOUR)
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

    @property
    def found_at(self) -> Path | None:
        """Where its file stands now, though somebody has moved it; None where it has been deleted, or there is none."""
        return None if self._place is None else self._place.found_at

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
        courses = {
            run: replace(course, facts=replace(course.facts, bases={})) for run, course in other._courses.items()
        }
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
    def _changing(self, run: int, moments: Sequence[Moment] = (), *, keep: bool = True) -> Iterator[_Course]:
        """One transaction, which begins with what a batch brings.

        That is encoded before: in the private recording of a live watch, whoever looks back waits for a transaction.
        """
        self._require_place()
        course = copy(self._courses.get(run) or _Course())
        rows = [self._row(course, moment) for moment in moments]
        facts = course.facts.encoded(course.facts.due(moments, keep=keep), self.database)
        with self.database.transaction():
            for moment, row in zip(moments, rows, strict=True):
                self._put(run, course, moment, row)
            course.facts.put(run, facts, self.database)
            yield course
        self._courses[run] = course

    @staticmethod
    def _row(course: _Course, moment: Moment) -> _Row:
        mono, wall = micros(moment.at.mono_s), micros(moment.at.wall_s)
        if course.costs_of != mono // MINUTE:
            course.costs_of, course.costs = mono // MINUTE, moment.sample.costs
        values = [metric.seen(moment.sample) for metric in METRICS]
        told = replace(moment, sample=replace(moment.sample, costs=course.costs))
        return mono, wall, encoded_moment(told), compressed(values, 1)

    def _put(self, run: int, course: _Course, moment: Moment, row: _Row) -> None:
        mono, *_ = row
        if course.mono // MINUTE < mono // MINUTE:
            self._pack(run, mono)
            if course.mono // HOUR < mono // HOUR:
                self._join_hours(run, mono)
            prune(self.database, self._limits, run, moment.at, self._courses)
        is_after = mono <= course.mono or moment.state.is_over  # the end takes the place of what was read last
        course.said = max(mono, course.mono) + is_after * micros(AFTER_S)
        course.mono = max(mono, course.mono)
        self.database.run("INSERT OR REPLACE INTO moment VALUES (?, ?, ?, ?, ?)", run, *row)
        for capability, origin in moment.sample.origins.items():
            self._follow_source(run, course, capability, origin, mono)

    def _follow_source(self, run: int, course: _Course, capability: Capability, origin: Origin, mono: int) -> None:
        """Where a capability begins to be read from another source, its metrics begin anew."""
        source = origin.source.value
        if course.sources.get(capability) != source:
            course.sources[capability] = source
            self.database.run("INSERT INTO source VALUES (?, ?, ?, ?)", run, capability.value, mono, source)

    def _put_finding(self, run: int, finding: Finding, now: int) -> None:
        """What happened at one moment is told apart by its words, what goes on by its rule and beginning.

        Of what goes on, the first that was said of it stays, and of each minute the last. Whatever is said of it once
        it is over bears the time at which that was said, or an earlier one: a mark may be of a moment that is past.
        """
        has_happened = finding.ended_at_s == finding.at_s
        entry = run, micros(finding.at_s), finding.rule, finding.summary if has_happened else ""
        if finding.ended_at_s is not None:
            now = self._when_over(entry, finding, now)
        ((first,),) = self.database.rows(
            "SELECT coalesce(min(said), ?5) FROM finding WHERE run = ?1 AND wall = ?2 AND rule = ?3 AND note = ?4",
            *entry,
            now,
        )
        self.database.run(
            "DELETE FROM finding WHERE run = ? AND wall = ? AND rule = ? AND note = ? AND said >= ?",
            *entry,
            max(min(first, now) + 1, now - now % MINUTE),
        )
        self.database.run(
            "INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?)", *entry, now, encoded(Finding, finding)
        )

    def _when_over(self, entry: tuple[int, int, str, str], finding: Finding, now: int) -> int:
        """When this end of a finding was said first."""
        rows = self.database.rows(
            "SELECT said, data FROM finding WHERE run = ? AND wall = ? AND rule = ? AND note = ?"
            " ORDER BY said DESC LIMIT 1",
            *entry,
        )
        is_known = bool(rows) and decoded(Finding, rows[0][1]).ended_at_s == finding.ended_at_s
        return min(now, rows[0][0]) if is_known else now

    def _pack(self, run: int, until: int) -> None:
        """Put the moments of each minute that ended before ``until`` together, and their metrics into buckets."""
        before = until - until % MINUTE
        rows = self.database.rows(
            "SELECT mono, wall, data, metrics FROM moment WHERE run = ? AND mono < ? ORDER BY mono", run, before
        )
        for _, group in groupby(rows, key=lambda row: row[0] // MINUTE):
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
        before = until - until % HOUR
        for step_s in STEPS_S[1:]:
            rows = self.database.rows(
                "SELECT alike, data FROM series WHERE run = ? AND step = ? AND mono >= ? AND mono < ? ORDER BY mono",
                run,
                step_s,
                before - HOUR,
                before,
            )
            if len(rows) > 1:
                parts = [Buckets.of(decoded_plain(data, self._alike.of(alike)), _KEYS) for alike, data in rows]
                self.database.run(
                    "DELETE FROM series WHERE run = ? AND step = ? AND mono >= ? AND mono < ?",
                    run,
                    step_s,
                    before - HOUR,
                    before,
                )
                self._put_buckets(run, step_s, joined(parts))
