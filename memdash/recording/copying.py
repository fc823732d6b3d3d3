"""From one recording into another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from memdash.recording.database import Database

__all__ = ["NO_NUMBERS", "RUN", "TABLES", "Numbers", "Table", "copied"]

Numbers: TypeAlias = Mapping[tuple[str, int | None], int | None]
"""Which number a row of a table has in the other recording."""


class Table(NamedTuple):
    """One table: its columns, and which of them names a row of which table."""

    name: str
    columns: Sequence[str]
    refers: str = ""
    to: str = ""

    @property
    def select(self) -> str:
        """One row by its number."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name} WHERE rowid = ?"  # noqa: S608 - our own names

    @property
    def next(self) -> str:
        """The first row after a number, and its own."""
        columns = ", ".join(("rowid", *self.columns))
        return f"SELECT {columns} FROM {self.name} WHERE rowid > ? ORDER BY rowid LIMIT 1"  # noqa: S608

    @property
    def previous(self) -> str:
        """The last row before a number, and its own."""
        columns = ", ".join(("rowid", *self.columns))
        return f"SELECT {columns} FROM {self.name} WHERE rowid < ? ORDER BY rowid DESC LIMIT 1"  # noqa: S608

    @property
    def insert(self) -> str:
        """One row more."""
        places = ", ".join("?" * len(self.columns))
        return f"INSERT OR REPLACE INTO {self.name} ({', '.join(self.columns)}) VALUES ({places})"  # noqa: S608

    def renumbered(self, row: Sequence[Any], numbers: Numbers) -> tuple[Any, ...]:
        """The row as it names another one in the other recording."""
        return tuple(
            numbers[self.to, value] if column == self.refers else value
            for column, value in zip(self.columns, row, strict=True)
        )


RUN = Table("run", ("number", "target", "wall", "mono", "interval_s", "version", "metrics", "ending"))
TABLES = (
    Table("alike", ("run", "kind", "data")),
    Table("fact", ("run", "kind", "mono", "wall", "base", "data"), "base", "fact"),
    Table("moment", ("run", "mono", "wall", "data", "metrics")),
    Table(
        "minute",
        ("run", "mono", "last_mono", "wall", "last_wall", "alike", "data"),
        "alike",
        "alike",
    ),
    Table("series", ("run", "step", "mono", "last_mono", "alike", "data"), "alike", "alike"),
    Table("source", ("run", "capability", "mono", "source")),
    Table("finding", ("run", "wall", "rule", "note", "said", "data")),
    Table("mark", ("run", "mono", "wall", "note")),
)
"""All but the runs; one that others refer to comes before them."""

NO_NUMBERS: Numbers = {(table.to, None): None for table in TABLES}
"""Before any row is there: what names none goes on to do so."""


def copied(source: Database, into: Database) -> None:
    """All but the runs, which must be there under the same numbers. Within a transaction. Raises RecordingError."""
    numbers = dict(NO_NUMBERS)
    for table in TABLES:
        for (row,) in source.rows(f"SELECT rowid FROM {table.name} ORDER BY rowid"):  # noqa: S608 - our own names
            (values,) = source.rows(table.select, row)
            numbers[table.name, row] = into.run(table.insert, *table.renumbered(values, numbers))
    for number, target, ending in source.rows("SELECT number, target, ending FROM run"):
        into.run("UPDATE run SET target = ?, ending = ? WHERE number = ?", target, ending, number)
