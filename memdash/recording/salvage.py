"""What can still be read of a damaged recording, row by row, written into a new one; and whether one is damaged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from memdash.errors import Corrupt, RecordingError
from memdash.model.target import Ending, Target
from memdash.recording.allowance import Allowance, SpentError
from memdash.recording.codec import decoded, decompressed
from memdash.recording.copying import NO_NUMBERS, RUN, TABLES, Piece, Table, put, rows_of
from memdash.recording.database import Database
from memdash.recording.kept import Kept
from memdash.recording.older import dated
from memdash.recording.pages import Kinds, Value, stray_rows
from memdash.recording.tables import made_private, require_own
from memdash.recording.writer import Writer

__all__ = ["Salvaged", "is_sound", "salvage", "salvaged"]

_CONTENTS_KEPT, _CONTENTS_BYTES = 24, 64 << 20

_NAMES = {
    "run": ("run", "runs"),
    "moment": ("moment", "moments"),
    "minute": ("minute", "minutes"),
    "fact": ("reading of sites, tasks or objects", "readings of sites, tasks or objects"),
    "series": ("stretch of the charts", "stretches of the charts"),
    "finding": ("line of the alert log", "lines of the alert log"),
    "mark": ("mark", "marks"),
}
_OTHER = ("other piece", "other pieces")

_ROW, _INT, _TEXT, _BLOB = (type(None),), (int,), (str,), (bytes,)
_KINDS: Kinds = {
    "run": (_ROW, _BLOB, _INT, _INT, (int, float), _TEXT, _BLOB, (bytes, type(None))),
    "alike": (_ROW, _INT, _TEXT, _BLOB),
    "fact": (_ROW, _INT, _TEXT, _INT, _INT, (int, type(None)), _BLOB),
    "moment": (_INT, _INT, _INT, _BLOB, _BLOB),
    "minute": (_INT, _INT, _INT, _INT, _INT, _INT, _BLOB),
    "series": (_INT, _INT, _INT, _INT, _INT, _BLOB),
    "source": (_INT, _TEXT, _INT, _TEXT),
    "finding": (_INT, _INT, _TEXT, _TEXT, _INT, _BLOB),
    "mark": (_INT, _INT, _INT, _TEXT),
}
"""What SQLite keeps of a row in each table, in the order in which ``tables`` declares its columns."""

_COLUMNS = {table.name: table.columns for table in (RUN, *TABLES)}
_TYPES: Kinds = {table.name: _KINDS[table.name][-len(table.columns) :] for table in TABLES}
"""What those columns may hold: a row's own number is none of them."""
_MIRRORED = {
    name: f"INSERT OR IGNORE INTO {name} (rowid, {', '.join(columns)}) VALUES (?{', ?' * len(columns)})"  # noqa: S608
    for name, columns in _COLUMNS.items()
}
_OUTDATED = (
    """DELETE FROM moment WHERE EXISTS (SELECT 1 FROM minute WHERE run = moment.run AND last_mono >= moment.mono)""",
    """DELETE FROM series WHERE EXISTS (SELECT 1 FROM series AS whole
    WHERE whole.run = series.run AND whole.step = series.step AND whole.rowid != series.rowid
    AND series.mono BETWEEN whole.mono AND whole.last_mono
    AND whole.last_mono - whole.mono > series.last_mono - series.mono)""",
)
"""What pages may still hold after it was put together with others."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How many pieces were saved, and how many of which table were there but damaged.

    ``is_torn`` says that pages are damaged, or missing at the end: nobody knows what was on them.
    """

    saved: int
    damaged: Mapping[str, int] = field(default_factory=dict)
    is_torn: bool = False

    @property
    def lost(self) -> int:
        """How many in all, of those that are known."""
        return sum(self.damaged.values())

    @property
    def words(self) -> str:
        """``2 minutes and 1 mark cannot be read``: what is lost, in one clause."""
        named = [(_NAMES.get(name, _OTHER), number) for name, number in self.damaged.items() if number]
        parts = [f"{number} {one if number == 1 else many}" for (one, many), number in named]
        parts += ["whatever else was on some of its pages"] if parts and self.is_torn else []
        if not parts:
            return "some of its pages cannot be read"
        return f"{' and '.join([', '.join(parts[:-1]), parts[-1]] if parts[1:] else parts)} cannot be read"


def is_sound(source: Database) -> bool:
    """Whether all of an open recording is as it was written. Raises RecordingError where it cannot be read at all.

    A day of it takes 0.4 s to read through. What is beyond an allowance is as good as its pages: whoever reads a piece
    of that finds out.
    """
    allowance = Allowance()
    try:
        source.rows("BEGIN")  # what somebody writes meanwhile must not look as if it referred to nothing
        try:
            if _is_torn(source):
                return False
            reading = _Reading(source, allowance)
            return all(not reading.damaged for _ in reading.pieces()) and not reading.damaged
        except SpentError:
            return True
        finally:
            source.rows("ROLLBACK")
    except Corrupt:
        return False


def _is_torn(source: Database) -> bool:
    try:
        return source.rows("PRAGMA integrity_check(1)") != [("ok",)]
    except Corrupt:
        return True


def salvage(path: Path, into: Path) -> Salvaged:
    """Read what can be read of ``path`` into the new recording ``into``. Raises RecordingError.

    Raises Corrupt when nothing can be.
    """
    with closing(Writer(into)) as writer:
        return salvaged(path, writer, Allowance.endless())


def salvaged(path: Path, into: Writer, allowance: Allowance) -> Salvaged:
    """The same, with a recording in which there is nothing yet. Raises SpentError where it takes more than is allowed.

    Of a file with other tables than memdash's it takes what stands in its pages, and asks SQLite for nothing.
    """
    with closing(Database(path, "mode=ro")) as source, into.database.transaction():
        if not _is_own(source) or _is_torn(source):
            found = _of_pages(source, path, into.database, allowance)
        else:
            found = _saved(source, into.database, allowance)
        dated(into.database)
    if not found.saved:
        raise Corrupt(f"nothing of {path} can be read any more", "is it a recording at all?")
    return found


def _is_own(source: Database) -> bool:
    """Whether SQLite may be asked for what is in it."""
    try:
        source.learn()
        require_own(source)
    except Corrupt:
        return False
    return True


def _of_pages(source: Database, path: Path, into: Database, allowance: Allowance) -> Salvaged:
    """What SQLite still finds, and all that stands in pages to which nothing leads any more. Raises SpentError."""
    with closing(made_private()) as mirror:
        with mirror.transaction():
            for table, row, values in _found(source):
                allowance.spend(_size(values))
                mirror.run(_MIRRORED[table.name], row, *values)
            for name, row, values in _strays(path, allowance):
                allowance.spend(_size(values))
                mirror.run(_MIRRORED[name], row, *values)
        found = _saved(mirror, into, allowance)
        for statement in _OUTDATED:
            into.run(statement)
        return replace(found, is_torn=True)


def _size(values: Iterable[object]) -> int:
    return sum(len(value) for value in values if isinstance(value, (str, bytes)))


def _found(source: Database) -> Iterator[Piece]:
    """Of each table the rows up to the first that cannot be read."""
    try:
        source.rows("PRAGMA writable_schema = ON")  # else SQLite refuses all of a file that has lost its end
    except RecordingError:
        return
    if not _is_own(source):
        return
    for table in (RUN, *TABLES):
        try:
            yield from rows_of(source, table)
        except RecordingError:
            continue


def _strays(path: Path, allowance: Allowance) -> Iterator[tuple[str, int, tuple[Value, ...]]]:
    try:
        for name, row, values in stray_rows(path, _KINDS, allowance.spend):
            own = tuple(row if value is None and at == 0 else value for at, value in enumerate(values))
            yield name, row, own[-len(_COLUMNS[name]) :]
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror or error}") from None


def _saved(source: Database, into: Database, allowance: Allowance) -> Salvaged:
    reading = _Reading(source, allowance)
    return Salvaged(put(reading.pieces(), into), dict(reading.damaged))


def _is_whole(run: Mapping[str, Any]) -> bool:
    """Whether it says what was watched, and what its series are of."""
    try:
        decoded(Target, run["target"])
        decoded(tuple[str, ...], run["metrics"])
        if run["ending"] is not None:
            decoded(Ending, run["ending"])
    except RecordingError:
        return False
    return type(run["wall"]) is type(run["mono"]) is int


class _Reading:
    """Goes through all tables of a database; ``damaged`` counts what of each cannot be had. Raises SpentError."""

    def __init__(self, source: Database, allowance: Allowance) -> None:
        self._source = source
        self._allowance = allowance
        self._runs: set[int] = set()
        self._sound: set[tuple[str, int | None]] = set(NO_NUMBERS)
        self._contents = Kept[tuple[str, int], bytes](_CONTENTS_KEPT, len, _CONTENTS_BYTES)
        self.damaged: Counter[str] = Counter()

    def pieces(self) -> Iterator[Piece]:
        """Those that are sound: the runs first, to which all else belongs."""
        for _, row, values in rows_of(self._source, RUN):
            self._allowance.spend()
            if _is_whole(dict(zip(RUN.columns, values, strict=True))):
                self._runs.add(values[0])
                yield RUN, row, values
            else:
                self.damaged[RUN.name] += 1
        for table in TABLES:
            is_named = any(other.to == table.name for other in TABLES)
            for _, row, values in rows_of(self._source, table):
                if self._is_sound(table, row, values):
                    if is_named:
                        self._sound.add((table.name, row))
                    yield table, row, values
                else:
                    self._allowance.spend()
                    self.damaged[table.name] += 1

    def _is_sound(self, table: Table, row: int, values: tuple[Any, ...]) -> bool:
        """Whether its run is there, what it was compressed against, and each byte as it was written."""
        named = dict(zip(table.columns, values, strict=True))
        if named["run"] not in self._runs or not all(map(isinstance, values, _TYPES[table.name])):
            return False
        base = named.get(table.refers) if table.refers else None
        if table.refers and (table.to, base) not in self._sound:
            return False
        if "data" not in named:
            self._allowance.spend()
            return True
        try:
            found = decompressed(named["data"], b"" if base is None else self._content(table.to, base))
        except RecordingError:
            return False
        self._allowance.spend(len(found))
        if table.name == "alike" or (table.name == "fact" and base is None):
            self._contents.get((table.name, row), lambda: found)
        return True

    def _content(self, name: str, row: int) -> bytes:
        """What others were compressed against. Raises RecordingError."""

        def read() -> bytes:
            rows = self._source.rows(f"SELECT data FROM {name} WHERE rowid = ?", row)  # noqa: S608 - our own names
            return decompressed(rows[0][0])

        return self._contents.get((name, row), read)
