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
from memdash.recording.tables import Database, micros

__all__ = ["PRIVATE", "Limits", "prune"]

_FULL, _ENOUGH = 0.97, 0.92
"""Of the limit: above the first something goes, until it is down to the second."""
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


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a recording may be, in bytes, and how far it may reach back; None for as far as there is room."""

    max_bytes: int = 500 << 20
    max_age_s: float | None = None


PRIVATE = Limits(max_bytes=64 << 20, max_age_s=86_400.0)
"""Of what is kept for a watch that nobody has recorded."""


def prune(database: Database, limits: Limits, now: Instant) -> None:
    """Bring it back within its limits, within a transaction. Raises RecordingError."""
    if limits.max_age_s is not None:
        _forget(database, micros(now.wall_s - limits.max_age_s))
    if database.used_bytes <= _FULL * limits.max_bytes:
        return
    spared: set[str] = set()
    while database.used_bytes > _ENOUGH * limits.max_bytes and len(spared) < len(_SHARES):
        sizes = {kind: _bytes(database, kind) / _SHARES[kind][0] for kind in _SHARES if kind not in spared}
        largest = max(sizes, key=lambda kind: sizes[kind])
        if not _shorten(database, largest):
            spared.add(largest)


def _forget(database: Database, wall: int) -> None:
    """All that is older; of runs on other clocks by what their own said when they began."""
    for run, offset in database.rows("SELECT number, wall - mono FROM run"):
        before = wall - offset
        for table in ("minute", "series"):
            database.run(f"DELETE FROM {table} WHERE run = ? AND last_mono < ?", run, before)  # noqa: S608 - our names
        for table in ("moment", "mark"):
            database.run(f"DELETE FROM {table} WHERE run = ? AND mono < ?", run, before)  # noqa: S608 - our names
        database.run("DELETE FROM finding WHERE run = ? AND wall < ?", run, wall)
        database.run("DELETE FROM fact WHERE run = ? AND mono < ? AND base IS NOT NULL", run, before)
        database.run(
            "DELETE FROM fact WHERE run = ? AND mono < ? AND base IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM fact AS other WHERE other.base = fact.id)",
            run,
            before,
        )
    database.run(
        "DELETE FROM run WHERE number < (SELECT max(number) FROM run) AND wall < ?"
        " AND NOT EXISTS (SELECT 1 FROM minute WHERE minute.run = run.number)"
        " AND NOT EXISTS (SELECT 1 FROM moment WHERE moment.run = run.number)",
        wall,
    )


def _bytes(database: Database, kind: str) -> int:
    _, table, which = _SHARES[kind]
    ((size,),) = database.rows(f"SELECT coalesce(sum(length(data)), 0) FROM {table} WHERE {which}")  # noqa: S608
    return int(size)


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
