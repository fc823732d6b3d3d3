"""The tables of a recording, and the connection to them: one statement at a time, errors in our own words."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from memdash.errors import Corrupt, NewerFormat, RecordingError

__all__ = ["VERSION", "Database", "micros"]

VERSION = 1
"""Of the tables and of what is in them; a later one is not read."""

_APPLICATION_ID = 0x6D656D64  # "memd"
_BUSY_S = 5.0
_PRIVATE_CACHE_KIB = 2048
"""A private database keeps so much in memory; the rest is in a file without a name."""

_SCHEMA = """
CREATE TABLE run (
  number INTEGER PRIMARY KEY, target BLOB NOT NULL, wall INTEGER NOT NULL, mono INTEGER NOT NULL,
  interval_s REAL NOT NULL, version TEXT NOT NULL, metrics BLOB NOT NULL, ending BLOB);
CREATE TABLE moment (
  run INTEGER NOT NULL, mono INTEGER NOT NULL, wall INTEGER NOT NULL, data BLOB NOT NULL, metrics BLOB NOT NULL);
CREATE UNIQUE INDEX moment_at ON moment (run, mono);
CREATE TABLE minute (
  run INTEGER NOT NULL, mono INTEGER NOT NULL, last_mono INTEGER NOT NULL, wall INTEGER NOT NULL,
  last_wall INTEGER NOT NULL, least_wall INTEGER NOT NULL, most_wall INTEGER NOT NULL, alike INTEGER NOT NULL,
  data BLOB NOT NULL);
CREATE UNIQUE INDEX minute_at ON minute (run, mono);
CREATE INDEX minute_wall ON minute (run, least_wall);
CREATE TABLE fact (
  id INTEGER PRIMARY KEY, run INTEGER NOT NULL, kind TEXT NOT NULL, mono INTEGER NOT NULL, wall INTEGER NOT NULL,
  base INTEGER, data BLOB NOT NULL);
CREATE INDEX fact_at ON fact (run, kind, mono);
CREATE INDEX fact_base ON fact (base);
CREATE TABLE series (
  run INTEGER NOT NULL, step INTEGER NOT NULL, mono INTEGER NOT NULL, last_mono INTEGER NOT NULL,
  alike INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX series_at ON series (run, step, mono);
CREATE TABLE alike (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, kind TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE source (run INTEGER NOT NULL, capability TEXT NOT NULL, mono INTEGER NOT NULL, source TEXT NOT NULL);
CREATE TABLE finding (
  run INTEGER NOT NULL, wall INTEGER NOT NULL, rule TEXT NOT NULL, note TEXT NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (run, wall, rule, note));
CREATE TABLE mark (run INTEGER NOT NULL, mono INTEGER NOT NULL, wall INTEGER NOT NULL, note TEXT NOT NULL);
"""
"""Moments are whole microseconds. A ``moment`` is replaced by the ``minute`` that it is in once that is over.

``alike`` holds the first piece of a kind, which the compressor is given as its dictionary for all that follow: of those
only what differs remains. For a fact that is its ``base``, the first of the same hour.
"""


def micros(seconds: float) -> int:
    """As the tables keep time."""
    return round(seconds * 1e6)


class Database:
    """One connection, used by one thread at a time: a private database has no other. Close it when done."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def private(cls) -> Database:
        """A new one that nobody else can open: in memory up to 2 MiB, beyond that in a file that has no name."""
        database = cls(_connected(""), None)
        with database._translated():
            database._connection.execute(f"PRAGMA cache_size = -{_PRIVATE_CACHE_KIB}")
            database._connection.execute("PRAGMA journal_mode = MEMORY")
            database._create()
        return database

    @classmethod
    def written(cls, path: Path) -> Database:
        """The one at ``path``, which is made if the file is empty. Raises RecordingError."""
        with _telling(path):
            database = cls(_connected(f"file:{quote(str(path.absolute()))}?mode=rw"), path)
        try:
            with database._translated():
                database._connection.execute("PRAGMA journal_mode = WAL")
                database._connection.execute("PRAGMA synchronous = NORMAL")
                if database._is_empty():
                    database._create()
            database._check()
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def read(cls, path: Path) -> Database:
        """The one at ``path``, read only, which somebody may be writing. Raises RecordingError."""
        with _telling(path):
            database = cls(_connected(f"file:{quote(str(path.absolute()))}?mode=ro"), path)
        try:
            database._check()
        except BaseException:
            database.close()
            raise
        return database

    def _is_empty(self) -> bool:
        return not self.rows("SELECT 1 FROM sqlite_master LIMIT 1")

    def _create(self) -> None:
        with self.transaction():
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _check(self) -> None:
        """Raises Corrupt and NewerFormat."""
        ((owner,),) = self.rows("PRAGMA application_id")
        ((version,),) = self.rows("PRAGMA user_version")
        if owner != _APPLICATION_ID:
            raise Corrupt(f"{self.path} is no recording of memdash", "memdash record PID -o FILE makes one")
        if version > VERSION:
            raise NewerFormat(f"{self.path} is of format {version}, and this memdash knows up to {VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing. Raises RecordingError."""
        with self._lock, self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, *values: object) -> list[Any]:
        """What a statement gives, whole: an open cursor would hold up whoever writes. Raises RecordingError."""
        with self._lock, self._translated():
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Carry a statement out; the id of the row it has put in. Raises RecordingError."""
        with self._lock, self._translated():
            return self._connection.execute(sql, values).lastrowid or 0

    @property
    def used_bytes(self) -> int:
        """What is in use of the file: pages that have been freed are filled again before it grows."""
        ((pages,),), ((free,),), ((size,),) = (
            self.rows(f"PRAGMA {name}") for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with _telling(self.path):
            yield


def _connected(uri: str) -> sqlite3.Connection:
    """Each statement by itself unless a transaction is begun; the lock of its Database keeps threads apart."""
    return sqlite3.connect(uri, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, uri=True)


@contextmanager
def _telling(path: Path | None) -> Iterator[None]:
    name = "the private recording" if path is None else str(path)
    try:
        yield
    except sqlite3.OperationalError as error:
        raise RecordingError(f"{name}: {error}") from None
    except sqlite3.DatabaseError as error:
        raise Corrupt(f"{name} is damaged, or no recording: {error}") from None
    except sqlite3.Error as error:
        raise RecordingError(f"{name}: {error}") from None
