"""Recordings of format 1, in which what was said of alerts bears the time of the wall clock, read as those of today.

A run whose clock was not set tells it to the sample. Where it was set back, the clock showed the same time twice: then
what was said counts from the first of them on, too early by as much as it was set back, so that nothing is hidden.
Before memdash 0.4 what was said of a minute last bore the minute's beginning: its figures may be younger by as much.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from memdash.errors import RecordingError
from memdash.model.finding import Finding
from memdash.recording.codec import all_decoded, encoded
from memdash.recording.database import Database

__all__ = ["dated", "dated_beside"]

_SLEW = 50_000
"""So far one clock may go from the other within a minute (500 ppm): less than is between two samples."""

_STRETCHES = (
    "SELECT mono, last_mono, wall, last_wall FROM minute WHERE run = ?1"
    " UNION ALL SELECT mono, mono, wall, wall FROM moment WHERE run = ?1 ORDER BY mono"
)
"""Within each both clocks rise."""


def dated(database: Database) -> None:
    """Give what was said by wall time its time on the monotonic clock. Within a transaction. Raises RecordingError.

    The two are told apart by their size, for what is left of a damaged file has no version: a monotonic time counts
    from the boot, and is less than the wall time at which the alert began.
    """
    for (run,) in database.rows("SELECT DISTINCT run FROM finding WHERE said >= wall"):
        reached, stretches = list[int](), list[tuple[int, int, int]]()
        for *stretch, last_wall in database.rows(_STRETCHES, run):
            if set(map(type, (*stretch, last_wall))) == {int} and (not reached or last_wall > reached[-1]):
                reached.append(last_wall)
                stretches.append(tuple(stretch))
        if not reached:
            continue
        _part(database, run)
        for row, said in database.rows(
            "SELECT rowid, said FROM finding WHERE run = ? AND said >= wall AND typeof(said) = 'integer' ORDER BY said",
            run,
        ):
            mono, last_mono, wall = stretches[min(bisect_left(reached, said), len(reached) - 1)]
            now = min(mono + max(said - wall - _SLEW, 0), last_mono + 1)
            database.run("UPDATE OR REPLACE finding SET said = ? WHERE rowid = ?", now, row)


def _part(database: Database, run: int) -> None:
    """Have what was said of an end before there was one, as memdash before 0.4 did, said when it came."""
    rows = database.rows(
        "SELECT data, rowid, said FROM finding WHERE run = ? AND said >= wall AND typeof(said) = 'integer'", run
    )
    for found, (_, row, said) in zip(_readable(data for data, *_ in rows), rows, strict=False):
        ended_s = 0.0 if found.ended_at_s is None else found.ended_at_s
        if ended_s != found.at_s and math.isfinite(ended_s) and (ended := round(ended_s * 1e6)) > said:
            held_s = max(said / 1e6 - found.at_s, 0.0)
            holds = replace(found, ended_at_s=None, lasted_s=held_s, measured=None, worst=None)
            database.run(
                "INSERT OR REPLACE INTO finding SELECT run, wall, rule, note, ?, data FROM finding WHERE rowid = ?",
                ended,
                row,
            )
            database.run("UPDATE finding SET data = ? WHERE rowid = ?", encoded(Finding, holds), row)


def _readable(told: Iterable[bytes]) -> Iterator[Finding]:
    """Up to the first that is damaged: that is found and told by whoever asks for it."""
    with suppress(RecordingError):
        yield from all_decoded(Finding, told)


def dated_beside(database: Database) -> None:
    """The same for a file that is not to be changed: a table of this connection alone takes the place of its own.

    What a memdash of then says of alerts from now on is not in it. Raises RecordingError.
    """
    database.rows("BEGIN")
    database.rows("CREATE TEMP TABLE finding AS SELECT * FROM main.finding ORDER BY rowid")
    database.rows("CREATE UNIQUE INDEX temp.finding_at ON finding (run, wall, rule, note, said)")
    dated(database)
    database.rows("COMMIT")
