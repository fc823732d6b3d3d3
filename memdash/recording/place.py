"""The file of a recording: made for its owner's eyes alone, never overwritten unasked, written by one at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from memdash.errors import RecordingError
from memdash.files import unfinished

__all__ = ["Place", "is_written", "require_free"]

_TAKEN: set[tuple[int, int]] = set()
"""Files that this very process writes. To open and close one of them again would take away SQLite's own locks on it."""

_SUFFIXES = ("", "-wal", "-shm", "-journal")
"""The names of a database's files."""


class Place:
    """Holds a file for one writer until it is closed, which must be after the database is. Raises RecordingError.

    ``appends`` lets it go on with a recording that is there, ``replaces`` lets another take the place of what is there:
    that is made beside it, in the file ``working``, until it is ``taken``. A file that was made here and in which
    nothing came to stand is removed by ``discard``.
    """

    def __init__(self, path: Path, *, appends: bool = False, replaces: bool = False) -> None:
        self.path = self.working = path
        self._is_made = False
        self._held: dict[int, tuple[int, int]] = {}
        try:
            require_free(path, can_be_there=appends or replaces)
            self._hold(path)
            if replaces and not appends and not self._is_made:
                self.working = unfinished(path.resolve())
                self._hold(self.working)
        except OSError as error:
            self.discard()
            raise RecordingError(
                f"{path} cannot be written: {error.strerror or error}", "choose another place with -o"
            ) from None
        except BaseException:
            self.discard()
            raise

    def _hold(self, path: Path) -> None:
        in_use = RecordingError(f"{self.path} is being written by another memdash", "choose another file")
        if path.exists():
            found = path.stat()
            if (found.st_dev, found.st_ino) in _TAKEN:
                raise in_use
        flags, is_made = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, True
        try:
            descriptor = os.open(path, flags | os.O_EXCL, 0o600)
        except FileExistsError:
            descriptor, is_made = os.open(path, flags, 0o600), False
        found = os.fstat(descriptor)
        self._held[descriptor] = found.st_dev, found.st_ino
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            del self._held[descriptor]
            raise in_use from None
        _TAKEN.add(self._held[descriptor])
        self._is_made = is_made

    @property
    def is_taken(self) -> bool:
        """Whether the file that is written bears the name that it was to have."""
        return self.working == self.path

    def taken(self) -> None:
        """Its database has been moved to ``path``, and what stood there before is gone."""
        self.working = self.path
        self._is_made = False

    def require_there(self) -> None:
        """Raise RecordingError when it has been deleted, moved or replaced: what is written comes to nothing."""
        try:
            found = self.working.stat()
        except OSError as error:
            where = self.found_at
            gone = f"has gone: {error.strerror}" if where is None else f"has been moved to {where}"
            raise RecordingError(f"{self.path} {gone}") from None
        if (found.st_dev, found.st_ino) not in self._held.values():
            raise RecordingError(f"{self.path} has been replaced by another file")

    @property
    def found_at(self) -> Path | None:
        """Where the file that is written stands now, whoever has moved it; None once it is deleted, or closed."""
        for descriptor, held in list(self._held.items())[-1:]:  # of two the working file was opened last
            try:
                moved = Path(f"/proc/self/fd/{descriptor}").readlink()
            except OSError:
                continue
            return next((path for path in (self.path, moved) if _leads_to(path, held)), None)
        return None

    def discard(self) -> None:
        """Close, and remove what was made for nothing."""
        if self._is_made:
            for suffix in _SUFFIXES:
                with contextlib.suppress(OSError):
                    self.working.with_name(self.working.name + suffix).unlink()
        self.close()

    def close(self) -> None:
        """Let others write it. May be called twice."""
        for descriptor, key in self._held.items():
            os.close(descriptor)
            _TAKEN.discard(key)
        self._held.clear()


def _leads_to(path: Path, file: tuple[int, int]) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == file


def require_free(path: Path, *, can_be_there: bool) -> None:
    """Raise RecordingError for what is no file, and what nobody said that it may be touched."""
    try:
        is_there, is_file = path.exists(), path.is_file()
    except OSError as error:
        raise RecordingError(f"{path} cannot be written: {error.strerror}", "choose another place with -o") from None
    if is_there and not is_file:
        raise RecordingError(f"{path} is no file", "a recording needs a file of its own: -o run.mdr")
    if is_there and not can_be_there:
        raise RecordingError(
            f"{path} exists already",
            "choose another name; memdash record goes on in it with --append, and overwrites it with --force",
        )


def is_written(path: Path) -> bool:
    """Whether somebody writes it just now. To be asked before the database is opened: see ``_TAKEN``."""
    try:
        found = path.stat()
        if (found.st_dev, found.st_ino) in _TAKEN:
            return True
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    finally:
        os.close(descriptor)
    return False
