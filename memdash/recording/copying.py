"""From one recording into another."""

from __future__ import annotations

from collections.abc import Mapping

from memdash.recording.tables import Database

__all__ = ["TABLES", "copied"]

TABLES: Mapping[str, tuple[str, ...]] = {
    "moment": ("run", "mono", "wall", "data", "metrics"),
    "minute": ("run", "mono", "last_mono", "wall", "last_wall", "least_wall", "data"),
    "series": ("run", "step", "mono", "last_mono", "data"),
    "source": ("run", "capability", "mono", "source"),
    "finding": ("run", "wall", "rule", "note", "data"),
    "mark": ("run", "mono", "wall", "note"),
}
"""What is copied as it stands, by table; runs and facts have numbers that others refer to."""


def copied(source: Database, into: Database) -> None:
    """All but the runs, which must be there under the same numbers. Within a transaction. Raises RecordingError."""
    for table, columns in TABLES.items():
        names, places = ", ".join(columns), ", ".join("?" * len(columns))
        for (row,) in source.rows(f"SELECT rowid FROM {table} ORDER BY rowid"):  # noqa: S608 - our names
            (values,) = source.rows(f"SELECT {names} FROM {table} WHERE rowid = ?", row)  # noqa: S608
            into.run(f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})", *values)  # noqa: S608
    numbers: dict[int | None, int | None] = {None: None}
    for (row,) in source.rows("SELECT id FROM fact ORDER BY id"):
        ((run, kind, mono, wall, base, data),) = source.rows(
            "SELECT run, kind, mono, wall, base, data FROM fact WHERE id = ?", row
        )
        numbers[row] = into.run(
            "INSERT INTO fact (run, kind, mono, wall, base, data) VALUES (?, ?, ?, ?, ?, ?)",
            run,
            kind,
            mono,
            wall,
            numbers[base],
            data,
        )
    for number, target, ending in source.rows("SELECT number, target, ending FROM run"):
        into.run("UPDATE run SET target = ?, ending = ? WHERE number = ?", target, ending, number)
