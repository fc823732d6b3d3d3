"""What a recording forgets, so that it stays within its limits.

By age all goes that is older. By size the kind that takes most for its share loses its oldest: half is for facts of
many rows, a third for moments, the rest for series, of which the finest have the least to lose. So the series reach
back furthest, and of whatever is left the newest is there in full. What is freed is filled again; the file does not
grow past its limit by more than what a minute takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
"""Other runs that have ended before a moment of wall time: these go as a whole."""
_AT_ONCE = 16
"""So large a part of a kind goes at a time."""

_SHARES: Mapping[str, tuple[float, str, str]] = {
    "facts": (0.50, "fact", "1"),
    "moments": (0.30, "minute", "1"),
    "seconds": (0.12, "series", "step = 1"),
    "tens": (0.05, "series", "step = 10"),
    "minutes": (0.03, "series", "step = 60"),
}
"""By kind: its share of the file, its table, and which rows of it."""


_FINER: Mapping[str, str] = {"tens": "seconds", "minutes": "tens"}
"""Series reach back no further than those of which they are the gist."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a recording may be, in bytes, and how far it may reach back; None for as far as there is room."""

    max_bytes: int = 500 << 20
    max_age_s: float | None = None


PRIVATE = Limits(max_bytes=64 << 20, max_age_s=86_400.0)
"""Of what is kept for a watch that nobody has recorded."""


def prune(database: Database, limits: Limits, run: int, now: Instant) -> None:
    """Bring it back within its limits, within a transaction; ``run`` is being written. Raises RecordingError."""
    if limits.max_age_s is not None:
        _forget(database, run, micros(now.mono_s - limits.max_age_s))
        for (other,) in database.rows(_OVER_BY, run, micros(now.wall_s - limits.max_age_s)):
            _forget(database, other, _ALWAYS)
            database.run("DELETE FROM alike WHERE run = ?", other)
            database.run("DELETE FROM source WHERE run = ?", other)
            database.run("DELETE FROM run WHERE number = ?", other)
    if database.used_bytes <= _FULL * limits.max_bytes:
        return
    spared: set[str] = set()
    while database.used_bytes > _ENOUGH * limits.max_bytes and len(spared) < len(_SHARES):
        sizes = {kind: _bytes(database, kind) / _SHARES[kind][0] for kind in _SHARES if kind not in spared}
        kind = max(sizes, key=lambda kind: sizes[kind])
        while (finer := _FINER.get(kind)) and finer not in spared and _begin(database, finer) <= _begin(database, kind):
            kind = finer
        if not _shorten(database, kind):
            spared.add(kind)


def _forget(database: Database, run: int, before: int) -> None:
    """All of a run that was before a moment of its monotonic clock, which nobody sets."""
    began = database.rows("SELECT wall - mono FROM run WHERE number = ?", run)
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
    if before == _ALWAYS:
        database.run("DELETE FROM finding WHERE run = ?", run)
    elif began:
        database.run("DELETE FROM finding WHERE run = ? AND wall < ?", run, min(before + began[0][0], _ALWAYS))


def _bytes(database: Database, kind: str) -> int:
    _, table, which = _SHARES[kind]
    ((size,),) = database.rows(f"SELECT coalesce(sum(length(data)), 0) FROM {table} WHERE {which}")  # noqa: S608
    return int(size)


def _begin(database: Database, kind: str) -> tuple[int, int]:
    """The run and the time of its oldest; beyond all when there is none."""
    _, table, which = _SHARES[kind]
    found = database.rows(f"SELECT run, mono FROM {table} WHERE {which} ORDER BY run, mono LIMIT 1")  # noqa: S608
    return found[0] if found else (_ALWAYS, 0)


def _shorten(database: Database, kind: str) -> bool:
    """Take the oldest part of a kind; False when only its newest is left."""
    _, table, which = _SHARES[kind]
    if kind == "facts":
        which = "base IS NULL"
    oldest = database.rows(
        f"SELECT rowid FROM {table} WHERE {which} ORDER BY run, mono"  # noqa: S608 - our names
    )
    gone = [row for (row,) in oldest[: max(len(oldest) // _AT_ONCE, 1)]] if len(oldest) > 1 else []
    for row in gone:
        if kind == "facts":
            database.run("DELETE FROM fact WHERE base = ?", row)
        database.run(f"DELETE FROM {table} WHERE rowid = ?", row)  # noqa: S608 - our names
    return bool(gone)
