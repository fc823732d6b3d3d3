"""What reads a recording: at any moment, in order, or as series; also while it is being written."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from memdash.errors import Corrupt, NewerFormat, RecordingError
from memdash.model.capability import Capability
from memdash.model.finding import Finding
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Instant
from memdash.model.series import Series
from memdash.model.target import Ending, Target
from memdash.recording.alike import Alike
from memdash.recording.codec import (
    Base,
    Dated,
    Minute,
    all_decoded,
    as_base,
    decoded,
    decoded_fact,
    decoded_moment,
    is_apart,
)
from memdash.recording.database import Database
from memdash.recording.hindsight import AFTER_S, findings, sayings
from memdash.recording.kept import Kept
from memdash.recording.moment import APART, Mark, Moment, Run
from memdash.recording.shapes import LATEST_S
from memdash.recording.tables import micros, opened, times
from memdash.recording.tracks import Tracks, interval

__all__ = ["GoneError", "Recording"]

Takes: TypeAlias = Callable[[float], bool]
Found = TypeVar("Found")

_NO_RUN = "this recording holds no run yet"
_NONE_BEFORE = Missing("none was recorded up to this moment")
_RUN_GONE = "this run has just had to make room for newer ones"
_GONE = "that moment has just had to make room for newer ones"
_TRIES = 3
_FACTS_KEPT, _BASES_KEPT, _MINUTES_KEPT = 12, 4, 2
_FACTS_BYTES, _ENDING_BYTES = 128 << 20, 1 << 16
_ALWAYS = (1 << 63) - 1


class GoneError(RecordingError):
    """Whoever writes has pruned what was just found, before it was read."""

    def __init__(self) -> None:
        super().__init__(_GONE)


def _found(look: Callable[[], Found]) -> Found:
    """What a look finds; where that goes before it is read, another finds what is left."""
    for _ in range(_TRIES - 1):
        with suppress(GoneError):
            return look()
    return look()  # in a damaged file it is not there at all


class Recording:
    """One run of a recording. Times named ``wall_s`` are for people, those of series and readings are monotonic.

    Used by one thread at a time; series, and what is said of runs, may be read by another one. Raises RecordingError
    when it cannot be read, Corrupt when a piece of it is damaged.
    """

    def __init__(self, database: Database, run: int | None = None) -> None:
        """The run ``run`` of an open database, its newest unless said otherwise."""
        self._database = database
        self._facts = Kept[int, Dated](_FACTS_KEPT, lambda dated: dated.bulk, _FACTS_BYTES)
        self._bases = Kept[int, Base](_BASES_KEPT, lambda base: len(base.content))
        self._minutes = Kept[int, Minute](_MINUTES_KEPT, lambda minute: minute.size)
        found = self._database.rows(
            "SELECT number FROM run WHERE number = coalesce(?, number) ORDER BY number DESC LIMIT 1", run
        )
        if not found:
            raise RecordingError(_NO_RUN if run is None else f"this recording holds no run {run}")
        self.number: int = found[0][0]
        self._alike = Alike(database)
        self._tracks = Tracks(database, self.number)

    @classmethod
    def open(cls, path: Path, run: int | None = None) -> Recording:
        """The recording in a file, read only."""
        database = opened(path)
        try:
            return cls(database, run)
        except BaseException:
            database.close()
            raise

    def of(self, run: int) -> Recording:
        """Another run of the same recording; to be closed only once."""
        return Recording(self._database, run)

    def close(self) -> None:
        """May be called twice. A private database is closed by who writes it."""
        if self._database.path is not None:
            self._database.close()

    @property
    def path(self) -> Path | None:
        """Its file; None for a private one."""
        return self._database.path

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs of the recording, in the order in which they began."""
        rows = self._database.rows("SELECT number, target FROM run ORDER BY number")
        targets = all_decoded(Target, (target for _, target in rows))
        return tuple(self._run(number, target) for (number, _), target in zip(rows, targets, strict=True))

    @property
    def run(self) -> Run:
        """This run as it stands now."""
        return self._run(self.number)

    def _run(self, number: int, known: Target | None = None) -> Run:
        rows = self._database.rows(
            "SELECT target, wall, mono, interval_s, version, ending FROM run WHERE number = ?", number
        )
        if not rows:
            raise RecordingError(_RUN_GONE)
        target, wall, mono, interval_s, version, ending = rows[0]
        ends = self._database.rows(
            "SELECT wall, mono FROM (SELECT run, wall, mono FROM moment UNION ALL"
            " SELECT run, last_wall, last_mono FROM minute) WHERE run = ? ORDER BY mono DESC LIMIT 1",
            number,
        )
        begins = self._database.rows(
            "SELECT wall, mono FROM (SELECT run, wall, mono FROM moment UNION ALL"
            " SELECT run, wall, mono FROM minute) WHERE run = ? ORDER BY mono LIMIT 1",
            number,
        )
        began = _instant((wall, mono))
        return Run(
            number=number,
            target=decoded(Target, target) if known is None else known,
            since=_instant(begins[0]) if begins else began,
            until=_instant(ends[0]) if ends else began,
            interval_s=interval(interval_s),
            version=str(version),
            ending=None if ending is None else decoded(Ending, ending, _ENDING_BYTES),
        )

    @property
    def since(self) -> Instant:
        """The first moment that is left."""
        return self.run.since

    @property
    def until(self) -> Instant:
        """The newest moment."""
        return self.run.until

    def instant_at(self, wall_s: float) -> Instant:
        """When the newest moment up to ``wall_s`` was, or the first. Raises RecordingError when there is none."""
        return _found(lambda: self._instant_at(micros(wall_s)))

    def _instant_at(self, wall: int) -> Instant:
        loose = self._database.rows(
            "SELECT wall, mono FROM moment WHERE run = ? AND wall <= ? ORDER BY wall DESC LIMIT 1", self.number, wall
        )
        packed = self._database.rows(
            "SELECT rowid FROM minute WHERE run = ? AND wall <= ? AND last_wall > ? ORDER BY wall DESC LIMIT 1",
            self.number,
            wall,
            loose[0][0] if loose else -_ALWAYS,  # before them, unless the clock has been set back since
        )
        if packed:
            minute = self._minute(packed[0][0])
            place = bisect_right(minute.walls, wall) - 1
            if not loose or minute.walls[place] > loose[0][0]:
                return _instant((minute.walls[place], minute.monos[place]))
        return _instant(loose[0]) if loose else self._first().at

    def instant_of(self, said_s: float) -> Instant:
        """The first moment that had what was said at ``said_s`` (monotonic), or the newest. Raises RecordingError."""
        found = _found(lambda: self._moment_after(micros(said_s - AFTER_S) - 1))
        return self.until if found is None else found.at

    def moment_by(self, mono_s: float) -> Moment:
        """The newest moment up to one of the monotonic clock, or the first. Raises RecordingError when there is none.

        That clock only goes forward, so whoever walks through a run goes by it.
        """
        return self._whole(_found(lambda: self._moment_by(micros(mono_s))))

    def _moment_by(self, mono: int) -> Moment:
        loose = self._database.rows(
            "SELECT data FROM moment WHERE run = ? AND mono <= ? ORDER BY mono DESC LIMIT 1", self.number, mono
        )
        if loose:
            return decoded_moment(loose[0][0])
        rows = self._database.rows(
            "SELECT rowid FROM minute WHERE run = ? AND mono <= ? ORDER BY mono DESC LIMIT 1", self.number, mono
        )
        if not rows:
            return self._first()
        minute = self._minute(rows[0][0])
        return minute[bisect_right(minute.monos, mono) - 1]

    def moment_after(self, mono_s: float) -> Moment | None:
        """The first moment after one of the monotonic clock; None when that is the newest."""
        after = _found(lambda: self._moment_after(micros(mono_s)))
        return None if after is None else self._whole(after)

    def _moment_after(self, mono: int) -> Moment | None:
        rows = self._database.rows(
            "SELECT rowid FROM minute WHERE run = ? AND last_mono > ? ORDER BY mono LIMIT 1", self.number, mono
        )
        if rows:
            minute = self._minute(rows[0][0])
            return minute[bisect_right(minute.monos, mono)]
        loose = self._database.rows(
            "SELECT data FROM moment WHERE run = ? AND mono > ? ORDER BY mono LIMIT 1", self.number, mono
        )
        return decoded_moment(loose[0][0]) if loose else None

    def _first(self) -> Moment:
        first = next(self._bare(), None)
        if first is None:
            raise RecordingError("this recording holds no moment yet")
        return first

    def _minute(self, row: int) -> Minute:
        """Kept for whoever steps from moment to moment."""

        def read() -> Minute:
            rows = self._database.rows("SELECT alike, data FROM minute WHERE rowid = ?", row)
            if not rows:
                raise GoneError
            alike, data = rows[0]
            return Minute(data, self._alike.of(alike))

        return self._minutes.get(row, read)

    def moments(self, since_s: float, until_s: float, takes: Takes = lambda _: True) -> Iterator[Moment]:
        """Those from one moment of the monotonic clock to another, in order, that are wanted by when they were."""
        for moment in self._bare(micros(since_s), micros(until_s), takes):
            yield self._whole(moment)

    def _bare(self, since: int = 0, until: int = _ALWAYS, takes: Takes = lambda _: True) -> Iterator[Moment]:
        """Moments without their facts of many rows. It reads a minute at a time as it goes, while others write."""
        while True:
            while found := _found(partial(self._next_minute, since, until)):
                minute, last = found
                for place, mono in enumerate(minute.monos):
                    if since <= mono <= until and takes(mono / 1e6):
                        yield minute[place]
                since = last + 1
            loose = self._database.rows(
                "SELECT mono, data FROM moment WHERE run = ? AND mono BETWEEN ? AND ? ORDER BY mono",
                self.number,
                since,
                until,
            )
            if not self._next_minutes(since, until):  # else they have just been put together
                break
        yield from (decoded_moment(data) for mono, data in loose if takes(mono / 1e6))

    def _next_minute(self, since: int, until: int) -> tuple[Minute, int] | None:
        rows = self._next_minutes(since, until)
        return (self._minute(rows[0][0]), rows[0][1]) if rows else None

    def _next_minutes(self, since: int, until: int) -> Sequence[tuple[int, int]]:
        """The number and the end of the first that holds any of that time."""
        return self._database.rows(
            "SELECT rowid, last_mono FROM minute WHERE run = ? AND last_mono >= ? AND mono <= ? ORDER BY mono LIMIT 1",
            self.number,
            since,
            until,
        )

    def _whole(self, moment: Moment) -> Moment:
        """With the newest facts of many rows that were written up to then."""
        found: dict[str, Any] = {}
        origins = dict(moment.sample.origins)
        for capability in APART:
            if not is_apart(moment, capability):
                continue
            dated = self._fact(capability, micros(moment.at.mono_s))
            if isinstance(dated, Missing):
                found[capability.value] = dated
                origins.pop(capability, None)
                continue
            found[capability.value] = dated.fact
            failing = origins[capability].failing if capability in origins else ""
            origins[capability] = replace(dated.origin, failing=failing)
        return replace(moment, sample=replace(moment.sample, **found, origins=origins))

    def _fact(self, capability: Capability, mono: int) -> Maybe[Dated]:
        return _found(lambda: self._newest_fact(capability, mono))

    def _newest_fact(self, capability: Capability, mono: int) -> Maybe[Dated]:
        rows = self._database.rows(
            "SELECT id, base FROM fact WHERE run = ? AND kind = ? AND mono <= ? ORDER BY mono DESC LIMIT 1",
            self.number,
            capability.value,
            mono,
        )
        try:
            return self._read_fact(capability, *rows[0]) if rows else _NONE_BEFORE
        except NewerFormat as error:  # of all else in the moment more is known
            return Missing.of(error)

    def _read_fact(self, capability: Capability, row: int, base: int | None) -> Dated:
        return self._facts.get(
            row, lambda: decoded_fact(capability, self._data(row), None if base is None else self._base(base))
        )

    def _base(self, row: int) -> Base:
        return self._bases.get(row, lambda: as_base(self._data(row)))

    def _data(self, row: int) -> bytes:
        rows = self._database.rows("SELECT data FROM fact WHERE id = ?", row)
        if not rows:
            raise GoneError
        return bytes(rows[0][0])

    def readings(self, capability: Capability, since_s: float, until_s: float, most: int = 60) -> tuple[int, ...]:
        """The numbers of readings of a kind of ``APART`` from ``since_s`` to ``until_s`` (monotonic), oldest first.

        Of more than ``most`` that many, evenly spread, with the first and the last one.
        """
        rows = self._database.rows(
            "SELECT id FROM fact WHERE run = ? AND kind = ? AND mono BETWEEN ? AND ? ORDER BY mono",
            self.number,
            capability.value,
            micros(since_s),
            micros(until_s),
        )
        if len(rows) > most > 0:
            rows = [rows[round(place * (len(rows) - 1) / max(most - 1, 1))] for place in range(most)]
        return tuple(number for (number,) in rows)

    def reading(self, number: int) -> Dated:
        """One of these."""
        rows = self._database.rows("SELECT kind, base FROM fact WHERE id = ?", number)
        if not rows:
            raise GoneError
        kind, base = rows[0]
        return self._read_fact(Capability(kind), number, base)

    def facts(self, capability: Capability, since_s: float, until_s: float, most: int = 60) -> tuple[Dated, ...]:
        """These readings themselves."""
        return _found(
            lambda: tuple(self.reading(number) for number in self.readings(capability, since_s, until_s, most))
        )

    def series(self, key: str, since_s: float, until_s: float) -> Series:
        """The metric named ``key`` between two moments of the monotonic clock, as a live history would tell it.

        In buckets of a second up to 15 minutes, of ten seconds up to six hours, else of a minute; where a source has
        changed, from there on.
        """
        return self._tracks.series(key, since_s, until_s)

    def findings(self, until_s: float = math.inf) -> tuple[Finding, ...]:
        """The alert log as of a moment of the monotonic clock, newest first: what ended later still held then.

        What is said of a finding that goes on is the last that was known by then: it may be older by up to a minute.
        """
        return tuple(findings(self._database, self.number, micros(min(until_s, self.until.mono_s))))

    def sayings(self) -> Iterator[tuple[float, Finding]]:
        """All that was said of alerts, and when (monotonic), in order: first as it began, last of each minute, over."""
        return sayings(self._database, self.number)

    def marks(self) -> tuple[Mark, ...]:
        """All of them, in order."""
        rows = self._database.rows("SELECT wall, mono, note FROM mark WHERE run = ? ORDER BY mono", self.number)
        return tuple(Mark(_instant((wall, mono)), str(note)) for wall, mono, note in rows)


def _instant(row: Sequence[object]) -> Instant:
    """Wall and monotonic time as they stand in a table. Raises Corrupt."""
    wall, mono = times(row)
    if not 0 <= wall < micros(LATEST_S):
        raise Corrupt("a moment of this recording is in no year")
    return Instant(wall / 1e6, mono / 1e6)
