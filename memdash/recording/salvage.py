"""What can still be read of a damaged recording, row by row, written into a new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memdash.errors import Corrupt, RecordingError
from memdash.model.target import Ending, Target
from memdash.recording.codec import decoded, decoded_plain, decompressed
from memdash.recording.copying import NO_NUMBERS, RUN, TABLES, Table
from memdash.recording.database import Database
from memdash.recording.writer import Writer

__all__ = ["Salvaged", "salvage"]

_LARGEST_ROW = 1 << 40


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How many pieces were saved, and how many were there but damaged; what left no trace is not counted."""

    saved: int
    lost: int


def salvage(path: Path, into: Path) -> Salvaged:
    """Read what can be read of ``path`` into the new recording ``into``. Raises RecordingError.

    Raises Corrupt when nothing can be, because the part that says where the rest is has gone.
    """
    source = Database(path, "mode=ro")
    try:
        writer = Writer(into)
        try:
            with writer.database.transaction():
                found = _Salvage(source, writer.database).carry_out()
        finally:
            writer.close()
    finally:
        source.close()
    if not found.saved:
        raise Corrupt(f"nothing of {path} can be read any more", "is it a recording at all?")
    return found


def _is_whole(run: Mapping[str, Any]) -> bool:
    """Whether it says what was watched, and what its series are of."""
    try:
        decoded(Target, run["target"])
        decoded_plain(run["metrics"])
        if run["ending"] is not None:
            decoded(Ending, run["ending"])
    except RecordingError:
        return False
    return type(run["wall"]) is type(run["mono"]) is int


class _Salvage:
    def __init__(self, source: Database, into: Database) -> None:
        self._source = source
        self._into = into
        self._saved = 0
        self._lost = 0
        self._runs: set[int] = set()
        self._numbers = dict(NO_NUMBERS)
        self._contents: dict[tuple[str, int], bytes] = {}

    def carry_out(self) -> Salvaged:
        """All tables in turn: the runs first, to which all else belongs."""
        for _, values in self._rows(RUN):
            if _is_whole(dict(zip(RUN.columns, values, strict=True))):
                self._into.run(RUN.insert, *values)
                self._runs.add(values[0])
                self._saved += 1
            else:
                self._lost += 1
        for table in TABLES:
            for row, values in self._rows(table):
                if self._is_sound(table, row, values):
                    self._numbers[table.name, row] = self._into.run(
                        table.insert, *table.renumbered(values, self._numbers)
                    )
                    self._saved += 1
                else:
                    self._lost += 1
        return Salvaged(self._saved, self._lost)

    def _rows(self, table: Table) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Those that can be read; over what cannot be it leaps, further each time."""
        after, leap = 0, 1
        while after < _LARGEST_ROW:
            try:
                rows = self._source.rows(table.next, after)
                if not rows:
                    return
                row, *values = rows[0]
                if type(row) is not int or row <= after:
                    raise Corrupt("a row that is out of its order")
            except RecordingError:
                self._lost += leap == 1
                after, leap = after + leap, 2 * leap
                continue
            yield row, tuple(values)
            after, leap = row, 1

    def _is_sound(self, table: Table, row: int, values: tuple[Any, ...]) -> bool:
        """Whether its run is there, what it was compressed against, and each byte as it was written."""
        named = dict(zip(table.columns, values, strict=True))
        if named["run"] not in self._runs:
            return False
        base = named.get(table.refers) if table.refers else None
        if (table.to, base) not in self._numbers and table.refers:
            return False
        if "data" not in named:
            return True
        try:
            found = decompressed(named["data"], b"" if base is None else self._contents[table.to, base])
        except (RecordingError, KeyError, TypeError):
            return False
        if table.name == "alike" or (table.name == "fact" and base is None):
            self._contents[table.name, row] = found
        return True
