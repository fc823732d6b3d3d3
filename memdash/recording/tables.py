"""The tables of a recording, their version, and how one is opened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from memdash.errors import Corrupt, NewerFormat, RecordingError
from memdash.recording.database import Database
from memdash.recording.older import dated, dated_beside

__all__ = [
    "HOUR",
    "MINUTE",
    "VERSION",
    "made_private",
    "micros",
    "moved",
    "opened",
    "opened_to_write",
    "require_own",
    "settled",
    "times",
]

VERSION = 2
"""Of the tables and of what is in them; a later one is not read, and of an earlier one ``older`` makes this."""

MINUTE, HOUR = 60_000_000, 3_600_000_000
"""As the tables keep time."""

_APPLICATION_ID = 0x6D656D64  # "memd"
_PRIVATE_CACHE_KIB = 512
"""A private database keeps so much in memory."""

_SCHEMA = """
CREATE TABLE run (
  number INTEGER PRIMARY KEY, target BLOB NOT NULL, wall INTEGER NOT NULL, mono INTEGER NOT NULL,
  interval_s REAL NOT NULL, version TEXT NOT NULL, metrics BLOB NOT NULL, ending BLOB);
CREATE TABLE moment (
  run INTEGER NOT NULL, mono INTEGER NOT NULL, wall INTEGER NOT NULL, data BLOB NOT NULL, metrics BLOB NOT NULL);
CREATE UNIQUE INDEX moment_at ON moment (run, mono);
CREATE TABLE minute (
  run INTEGER NOT NULL, mono INTEGER NOT NULL, last_mono INTEGER NOT NULL, wall INTEGER NOT NULL,
  last_wall INTEGER NOT NULL, alike INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX minute_at ON minute (run, mono);
CREATE INDEX minute_wall ON minute (run, wall);
CREATE TABLE fact (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, kind TEXT NOT NULL, mono INTEGER NOT NULL,
  wall INTEGER NOT NULL, base INTEGER, data BLOB NOT NULL);
CREATE INDEX fact_at ON fact (run, kind, mono);
CREATE INDEX fact_base ON fact (base);
CREATE TABLE series (
  run INTEGER NOT NULL, step INTEGER NOT NULL, mono INTEGER NOT NULL, last_mono INTEGER NOT NULL,
  alike INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX series_at ON series (run, step, mono);
CREATE TABLE alike (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE source (run INTEGER NOT NULL, capability TEXT NOT NULL, mono INTEGER NOT NULL, source TEXT NOT NULL);
CREATE TABLE finding (
  run INTEGER NOT NULL, wall INTEGER NOT NULL, rule TEXT NOT NULL, note TEXT NOT NULL, said INTEGER NOT NULL,
  data BLOB NOT NULL, PRIMARY KEY (run, wall, rule, note, said));
CREATE TABLE mark (run INTEGER NOT NULL, mono INTEGER NOT NULL, wall INTEGER NOT NULL, note TEXT NOT NULL);
"""
"""Moments are whole microseconds. A ``moment`` is replaced by the ``minute`` that it is in once that is over,
or by two of them, when the clock was set back meanwhile. All stand in order by ``mono``, the monotonic clock, which
nobody sets; ``wall`` is what people call that moment. A finding is known by its rule and the wall time at which it
began; of one that goes on there is what was ``said`` of it first, and last in each minute, by the monotonic time of the
moment that had it. In format 1 that was wall time.

``alike`` holds the first piece of a kind, which the compressor is given as its dictionary for all that follow: of those
only what differs remains. For a fact that is its ``base``, the first of the same hour.
The number of a fact that has gone is not given again: who goes by it would take another for it.
"""


_WORD, _PLAIN = re.compile(r"\w+", re.ASCII), re.compile(r"[\w\s,()]*", re.ASCII)
_WORDS = frozenset(_WORD.findall(_SCHEMA)) | {"sqlite_sequence", "name", "seq"}
"""All that the tables are told with, the last by SQLite itself. What is computed takes other words, or signs."""
_MOST_TABLES, _LONGEST_TABLE = 64, 2000
"""With their indexes; memdash makes 18, and tells none in more than 300 characters."""


def micros(seconds: float) -> int:
    """Seconds as the tables keep them."""
    return round(seconds * 1e6)


def times(row: Sequence[object]) -> tuple[int, ...]:
    """The same as they were read: a file may hold anything in their place. Raises Corrupt."""
    found = tuple(value for value in row if type(value) is int)
    if len(found) < len(row):
        raise Corrupt("a moment of this recording has no time")
    return found


def made_private() -> Database:
    """A new one that nobody else can open. Raises RecordingError."""
    database = Database(None)
    database.rows(f"PRAGMA cache_size = -{_PRIVATE_CACHE_KIB}")
    database.rows("PRAGMA journal_mode = MEMORY")
    _create(database)
    return database


def opened_to_write(path: Path) -> Database:
    """The one at ``path``; if the file is empty it becomes one, and one of an older format one of today's.

    Raises RecordingError.
    """
    database = Database(path, "mode=rw")
    try:
        is_new = not database.rows("SELECT 1 FROM sqlite_master LIMIT 1")
        if is_new:
            database.rows("PRAGMA auto_vacuum = INCREMENTAL")  # can only be said of a file without pages
        _log_ahead(database)
        if is_new:
            _create(database)
        if _version(database) < VERSION:
            with database.transaction():
                dated(database)
                database.rows(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        database.close()
        raise
    return database


def moved(database: Database, path: Path) -> None:
    """Give one that is written another name, in the place of what has it. Raises RecordingError; then nothing moved."""
    database.rows("PRAGMA journal_mode = DELETE")
    try:
        database.move(path)
    finally:
        _log_ahead(database)


def _log_ahead(database: Database) -> None:
    database.rows("PRAGMA journal_mode = WAL")
    database.rows("PRAGMA synchronous = NORMAL")


def opened(path: Path) -> Database:
    """The one at ``path``, read only, which somebody may be writing. Raises RecordingError."""
    database = Database(path, "mode=ro")
    try:
        if _version(database) < VERSION:
            dated_beside(database)
    except BaseException:
        database.close()
        raise
    return database


def settled(database: Database) -> None:
    """Before it is closed: all that was written into the one file, without empty pages, if nobody reads it just now."""
    database.rows("PRAGMA busy_timeout = 0")
    database.shrink()
    database.rows("PRAGMA journal_mode = DELETE")


def _create(database: Database) -> None:
    with database.transaction():
        for statement in _SCHEMA.split(";"):
            database.rows(statement)
        database.rows(f"PRAGMA application_id = {_APPLICATION_ID}")
        database.rows(f"PRAGMA user_version = {VERSION}")


def require_own(database: Database) -> None:
    """See that nothing in it is computed as it is read. Raises Corrupt.

    A view, a generated column or an index over an expression can keep whoever asks busy for ever.
    """
    told = database.rows("SELECT type, substr(sql, 1, ?) FROM sqlite_master LIMIT ?", _LONGEST_TABLE, _MOST_TABLES)
    if len(told) == _MOST_TABLES or not all(_is_own(kind, sql) for kind, sql in told):
        raise Corrupt(f"{database.path} has tables that are none of memdash's")


def _is_own(kind: object, sql: object) -> bool:
    if sql is None and kind == "index":  # that of a primary key
        return True
    if kind not in ("table", "index") or not isinstance(sql, str) or not _PLAIN.fullmatch(sql):
        return False
    return len(sql) < _LONGEST_TABLE and _WORDS.issuperset(_WORD.findall(sql))


def _version(database: Database) -> int:
    """Of one that can be read. Raises RecordingError, NewerFormat, Corrupt."""
    if not database.rows("SELECT 1 FROM sqlite_master LIMIT 1"):
        raise RecordingError(f"{database.path} holds no run yet", "memdash record PID -o FILE makes a recording")
    ((owner,),) = database.rows("PRAGMA application_id")
    ((version,),) = database.rows("PRAGMA user_version")
    if owner != _APPLICATION_ID:
        raise Corrupt(f"{database.path} is no recording of memdash", "memdash record PID -o FILE makes one")
    if version > VERSION:
        raise NewerFormat(f"{database.path} is of format {version}, and this memdash knows up to {VERSION}")
    require_own(database)
    return int(version)
