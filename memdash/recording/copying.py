"""From one recording into another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from memdash.errors import Corrupt
from memdash.recording.database import Database

__all__ = ["NO_NUMBERS", "RUN", "TABLES", "Numbers", "Piece", "Table", "copied", "put", "rows_of"]

Numbers: TypeAlias = Mapping[tuple[str, int | None], int | None]
"""Which number a row of a table has in the other recording."""


class Table(NamedTuple):
    """One table: its columns, and which of them names a row of which table."""

    name: str
    columns: Sequence[str]
    refers: str = ""
    to: str = ""

    @property
    def next(self) -> str:
        """The first row after a number, and its own."""
        columns = ", ".join(("rowid", *self.columns))
        return f"SELECT {columns} FROM {self.name} WHERE rowid > ? ORDER BY rowid LIMIT 1"  # noqa: S608 - our own names

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


Piece: TypeAlias = tuple[Table, int, tuple[Any, ...]]
"""A row of a table, with its number."""

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
    put((piece for table in TABLES for piece in rows_of(source, table)), into)
    for number, target, ending in source.rows("SELECT number, target, ending FROM run"):
        into.run("UPDATE run SET target = ?, ending = ? WHERE number = ?", target, ending, number)


def put(pieces: Iterable[Piece], into: Database) -> int:
    """Write rows as they come, those first that others refer to; how many they were. Raises RecordingError."""
    numbers, count = dict(NO_NUMBERS), 0
    for table, row, values in pieces:
        numbers[table.name, row] = into.run(table.insert, *table.renumbered(values, numbers))
        count += 1
    return count


def rows_of(source: Database, table: Table) -> Iterator[Piece]:
    """All rows in order, one at a time. Raises RecordingError at the first that cannot be read."""
    after = -1
    while rows := source.rows(table.next, after):
        row, *values = rows[0]
        if type(row) is not int or row <= after:
            raise Corrupt("a row that is out of its order")
        yield table, row, tuple(values)
        after = row
