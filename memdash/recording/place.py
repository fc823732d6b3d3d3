"""The file of a recording: made for its owner's eyes alone, never overwritten unasked, written by one at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from memdash.errors import RecordingError

__all__ = ["Place"]

_TAKEN: set[tuple[int, int]] = set()
"""Files that this very process writes. To open and close one of them again would take away SQLite's own locks on it."""


class Place:
    """Holds a file for one writer until it is closed, which must be after the database is. Raises RecordingError.

    ``appends`` lets it go on with a recording that is there, ``replaces`` lets it begin anew in its place.
    """

    def __init__(self, path: Path, *, appends: bool = False, replaces: bool = False) -> None:
        self.path = path
        self._descriptor = -1
        self._key = (0, 0)
        try:
            self._refuse(can_be_there=appends or replaces)
            self._take()
            if replaces and not appends:
                self._empty()
        except OSError as error:
            self.close()
            raise RecordingError(
                f"{path} cannot be written: {error.strerror or error}", "choose another place with -o"
            ) from None
        except BaseException:
            self.close()
            raise

    def _refuse(self, *, can_be_there: bool) -> None:
        """What is no file, and what nobody said that it may be touched."""
        if self.path.exists() and not self.path.is_file():
            raise RecordingError(f"{self.path} is no file", "a recording needs a file of its own: -o run.mdr")
        if self.path.exists() and not can_be_there:
            raise RecordingError(
                f"{self.path} exists already",
                "choose another name; memdash record goes on in it with --append, and overwrites it with --force",
            )

    def _take(self) -> None:
        in_use = RecordingError(f"{self.path} is being written by another memdash", "choose another file")
        if self.path.exists():
            found = self.path.stat()
            if (found.st_dev, found.st_ino) in _TAKEN:
                raise in_use
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise in_use from None
        found = os.fstat(self._descriptor)
        self._key = (found.st_dev, found.st_ino)
        _TAKEN.add(self._key)

    def _empty(self) -> None:
        os.ftruncate(self._descriptor, 0)
        for suffix in ("-wal", "-shm", "-journal"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def close(self) -> None:
        """Let others write it. May be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            _TAKEN.discard(self._key)
