"""What a recording forgets, so that it stays within its limits.

By age all goes that is older. By size the kind that takes most for its share loses its oldest: half is for facts of
many rows, a third for moments, the rest for series, of which the finest have the least to lose, and a little for the
alert log, marks and changes of source. So the series reach back furthest, and of whatever is left the newest is there
in full. What is freed is filled again; the file does not grow past its limit by more than what a minute takes. A run of
which nothing is left goes with all that belonged to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from memdash.model.sample import Instant
from memdash.recording.database import Database
from memdash.recording.tables import micros

__all__ = ["PRIVATE", "Limits", "prune"]

_FULL, _ENOUGH = 0.97, 0.92
"""Of the limit: above the first something goes, until it is down to the second."""
_ALWAYS = (1 << 63) - 1
_OVER_BY = (
    "SELECT number FROM run WHERE number != ?1 AND max(wall,"
    " coalesce((SELECT max(last_wall) FROM minute WHERE run = number), 0),"
    " coalesce((SELECT max(wall) FROM moment WHERE run = number), 0)) < ?2"
)
"""Other runs that nothing has come to since a moment of wall time: these go as a whole."""
_BEGIN = (
    "SELECT min(mono) FROM (SELECT run, mono FROM series UNION ALL SELECT run, mono FROM minute"
    " UNION ALL SELECT run, mono FROM moment) WHERE run = ?"
)
"""When that begins which is left of a run."""
_EMPTY = (
    "SELECT number FROM run WHERE number != ?1 AND wall < (SELECT wall - mono + ?2 FROM run WHERE number = ?1)"
    " AND NOT EXISTS (SELECT 1 FROM moment WHERE run = number)"
    " AND NOT EXISTS (SELECT 1 FROM minute WHERE run = number)"
    " AND NOT EXISTS (SELECT 1 FROM series WHERE run = number)"
    " AND NOT EXISTS (SELECT 1 FROM fact WHERE run = number)"
)
"""Of which nothing is left, and that began before."""
_AT_ONCE = 16
"""So large a part of a kind goes at a time."""
_FOLLOWED = "rowid NOT IN (SELECT max(rowid) FROM source GROUP BY run, capability)"
"""Sources that are not the newest."""


class _Kind(NamedTuple):
    """Its share of the file, its table, which rows of it, and what one takes."""

    share: float
    table: str
    which: str = "1"
    size: str = "length(data)"


_SHARES: Mapping[str, _Kind] = {
    "facts": _Kind(0.50, "fact"),
    "moments": _Kind(0.28, "minute"),
    "seconds": _Kind(0.12, "series", "step = 1"),
    "tens": _Kind(0.05, "series", "step = 10"),
    "minutes": _Kind(0.03, "series", "step = 60"),
    "findings": _Kind(0.015, "finding", size="40 + length(data) + 2 * (length(rule) + length(note))"),
    "marks": _Kind(0.003, "mark", size="40 + length(note)"),
    "sources": _Kind(0.002, "source", _FOLLOWED, "40 + length(capability) + length(source)"),
}
"""Small rows take more than what is in them, and those with words for a key have these twice."""


_FINER: Mapping[str, str] = {"tens": "seconds", "minutes": "tens"}
"""Series reach back no further than those of which they are the gist."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a recording may be, in bytes, and how far it may reach back; None for as far as there is room."""

    max_bytes: int = 500 << 20
    max_age_s: float | None = None


PRIVATE = Limits(max_bytes=64 << 20, max_age_s=86_400.0)
"""Of what is kept for a watch that nobody has recorded."""


def prune(database: Database, limits: Limits, run: int, now: Instant, going: Collection[int] = ()) -> None:
    """Bring it back within its limits, within a transaction; ``run`` is being written. Raises RecordingError.

    So are those that are ``going`` on beside it, which stay: they may have nothing yet, or nothing since a suspend.
    """
    if limits.max_age_s is not None:
        before = micros(now.wall_s - limits.max_age_s)
        _forget(database, run, micros(now.mono_s - limits.max_age_s))
        for (other,) in database.rows(_OVER_BY, run, before):
            _drop(database, other, going)
    _sweep(database, run, going)
    if database.used_bytes <= _FULL * limits.max_bytes:
        return
    spared: set[str] = set()
    while database.used_bytes > _ENOUGH * limits.max_bytes and len(spared) < len(_SHARES):
        sizes = {kind: _bytes(database, kind) / _SHARES[kind].share for kind in _SHARES if kind not in spared}
        kind = max(sizes, key=lambda kind: sizes[kind])
        while (finer := _FINER.get(kind)) and finer not in spared and _reaches_back(database, finer, kind):
            kind = finer
        if not _shorten(database, kind):
            spared.add(kind)
    _sweep(database, run, going)


def _drop(database: Database, run: int, going: Collection[int]) -> None:
    """A whole run, unless it goes on."""
    if run in going:
        return
    _forget(database, run, _ALWAYS)
    for table in ("alike", "source"):
        database.run(f"DELETE FROM {table} WHERE run = ?", run)  # noqa: S608 - our names
    database.run("DELETE FROM run WHERE number = ?", run)


def _sweep(database: Database, run: int, going: Collection[int]) -> None:
    """Earlier runs without a moment."""
    ((begin,),) = database.rows(_BEGIN, run)
    if begin is None:
        return
    for (other,) in database.rows(_EMPTY, run, begin):
        _drop(database, other, going)


def _forget(database: Database, run: int, before: int) -> None:
    """All of a run that was before a moment of its monotonic clock, which nobody sets."""
    for table in ("minute", "series"):
        database.run(f"DELETE FROM {table} WHERE run = ? AND last_mono < ?", run, before)  # noqa: S608 - our names
    for table in ("moment", "mark"):
        database.run(f"DELETE FROM {table} WHERE run = ? AND mono < ?", run, before)  # noqa: S608 - our names
    database.run("DELETE FROM fact WHERE run = ? AND mono < ? AND base IS NOT NULL", run, before)
    database.run(
        "DELETE FROM fact WHERE run = ? AND mono < ? AND base IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM fact AS other WHERE other.base = fact.id)",
        run,
        before,
    )
    database.run("DELETE FROM finding WHERE run = ? AND said < ?", run, before)


def _bytes(database: Database, kind: str) -> int:
    of = _SHARES[kind]
    ((size,),) = database.rows(f"SELECT coalesce(sum({of.size}), 0) FROM {of.table} WHERE {of.which}")  # noqa: S608
    return int(size)


def _reaches_back(database: Database, finer: str, kind: str) -> bool:
    """Whether the finer series of a run begin no later than those of this kind, by the run that has its oldest."""
    is_finer, is_kind = _SHARES[finer].which, _SHARES[kind].which
    return bool(
        database.rows(
            f"SELECT 1 FROM (SELECT run, mono FROM series WHERE {is_kind} ORDER BY rowid LIMIT 1) AS oldest"  # noqa: S608
            f" WHERE EXISTS (SELECT 1 FROM series WHERE {is_finer} AND run = oldest.run AND mono <= oldest.mono)"
        )
    )


def _shorten(database: Database, kind: str) -> bool:
    """Take the oldest part of a kind, of all runs alike; False when only its newest is left.

    They stand in the order in which they were written, which no clock has a say in.
    """
    _, table, which, _ = _SHARES[kind]
    if kind == "facts":
        which = "base IS NULL"
    oldest = database.rows(f"SELECT rowid FROM {table} WHERE {which} ORDER BY rowid")  # noqa: S608 - our names
    gone = [row for (row,) in oldest[: max(len(oldest) // _AT_ONCE, 1)]] if len(oldest) > 1 else []
    for row in gone:
        if kind == "facts":
            database.run("DELETE FROM fact WHERE base = ?", row)
        database.run(f"DELETE FROM {table} WHERE rowid = ?", row)  # noqa: S608 - our names
    return bool(gone)
