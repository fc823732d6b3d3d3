"""The connection to a recording: one statement at a time, and errors in our own words."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from memdash.errors import Corrupt, RecordingError

__all__ = ["Database"]

_BUSY_S = 5.0
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 80 << 20,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1 << 14,
    sqlite3.SQLITE_LIMIT_COLUMN: 64,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
"""No value in a row is longer: a piece is 64 MiB before it is compressed, and at worst hardly shorter afterwards. The
others are a few times what memdash has; a file that asks for more is none of its own.
"""
_MOST_STEPS, _MOST_STEPS_AT_FIRST = 200_000_000, 50_000
"""Of SQLite's machine in one statement, of which a second has forty million. To look through a full recording of
500 MiB takes a tenth of them, and to learn which tables it has some hundreds.
"""


def _plain_only(action: int, _of: str | None, _part: str | None, _database: str | None, through: str | None) -> int:
    """What is a view, or has a trigger, is none of our tables: in a file of others it may be a query without end."""
    is_foreign = through is not None or action == sqlite3.SQLITE_RECURSIVE
    return sqlite3.SQLITE_DENY if is_foreign else sqlite3.SQLITE_OK


class Database:
    """One connection, which threads may share: each statement and each transaction is alone. Close it when done.

    Without a path it is private: in memory for as much as its cache takes, beyond that in a file that has no name.
    ``how`` says how a file is opened, as SQLite's URIs do. Raises RecordingError throughout, and Corrupt where what
    stands in the file makes no sense.
    """

    def __init__(self, path: Path | None, how: str = "") -> None:
        self.path = path
        try:
            if path is not None and not path.is_file():
                raise RecordingError(f"there is no recording {path}", "memdash record PID -o FILE makes one")
        except OSError as error:  # a folder on the way may not be entered
            raise RecordingError(f"{path}: {error.strerror or error}") from None
        self._how = how
        self._lock = threading.RLock()
        self._connection = self._connected()
        with suppress(Corrupt):  # as soon as anything else is asked for it comes again
            self.learn()

    def _connected(self) -> sqlite3.Connection:
        uri = "" if self.path is None else f"file:{quote(str(self.path.absolute()))}?{self._how}"
        with self._telling():
            made = sqlite3.connect(uri, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, uri=True)
            for limit, most in _LIMITS.items():
                made.setlimit(limit, most)
            made.set_authorizer(_plain_only)
            for pragma in ("trusted_schema = OFF", "cell_size_check = ON"):
                made.execute(f"PRAGMA {pragma}")
            made.set_progress_handler(lambda: True, _MOST_STEPS_AT_FIRST)
            return made

    def learn(self) -> None:
        """See which tables it has, within few steps: all else may take many from then on."""
        with self._lock:
            self._connection.set_progress_handler(lambda: True, _MOST_STEPS_AT_FIRST)
            self.rows("SELECT 1 FROM sqlite_master LIMIT 1")
            self._connection.set_progress_handler(lambda: True, _MOST_STEPS)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        with self._lock:
            self.rows("BEGIN IMMEDIATE")
            try:
                yield
                self.rows("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have ended it already
                    self.rows("ROLLBACK")
                raise

    def rows(self, sql: str, *values: object) -> list[Any]:
        """What a statement gives, whole: a cursor left open would hold up whoever writes."""
        with self._lock, self._telling():
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Carry a statement out; the number of the row that it has put in."""
        with self._lock, self._telling():
            return self._connection.execute(sql, values).lastrowid or 0

    def shrink(self) -> None:
        """Give back the pages that are not in use, where that was planned when it was made."""
        with self._lock, self._telling():
            self._connection.executescript("PRAGMA incremental_vacuum")  # one page a step, and execute takes one step

    @property
    def used_bytes(self) -> int:
        """What is in use of the file: pages that have been freed are filled again before it grows."""
        ((pages,),), ((free,),), ((size,),) = (
            self.rows(f"PRAGMA {name}") for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def move(self, path: Path) -> None:
        """Give its file another name, which must be all of it, no log beside it; what has that name so far is lost."""
        with self._lock:
            if self.path is None:
                return
            self._connection.close()
            try:
                self.path.rename(path.resolve())
                self.path = path
            except OSError as error:
                raise RecordingError(f"{path} cannot be written: {error.strerror or error}") from None
            finally:
                self._connection = self._connected()
                self.learn()

    def close(self) -> None:
        """May be called twice."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        name = "the private recording" if self.path is None else str(self.path)
        try:
            yield
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", None)  # what Python raises itself has none
            if code == sqlite3.SQLITE_INTERRUPT:
                raise Corrupt(f"{name} takes longer to read than any that memdash makes") from None
            raise RecordingError(f"{name}: {error}") from None
        except sqlite3.DatabaseError as error:
            raise Corrupt(f"{name} is damaged, or no recording: {error}") from None
        except sqlite3.Error as error:
            raise RecordingError(f"{name}: {error}") from None
        except (UnicodeDecodeError, OverflowError, MemoryError):  # what stands in it is no text, or larger than can be
            raise Corrupt(f"{name} is damaged, or no recording") from None
