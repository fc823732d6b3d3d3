"""Where a log goes: a file that grows, gives way to a new one, and can be moved away meanwhile; or standard output."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from memdash.commands.output import refusals_told, require_folder
from memdash.errors import UsageError
from memdash.files import unfinished

__all__ = ["GrowingFile", "Stream", "require_free"]


class Stream:
    """A descriptor that lines go to."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, line: bytes) -> None:
        """Write all of it, however long that takes. Raises OSError."""
        while line:
            line = line[os.write(self._descriptor, line) :]


def require_free(path: Path, most_bytes: int | None = None, kept: int = 0, *, can_be_there: bool = False) -> None:
    """Raise UsageError where there is no place for it, or something of others may be written into, or pushed out."""
    olds = () if most_bytes is None else (_numbered(path, number) for number in range(1, kept + 1))
    with refusals_told(str(path)):
        for each in () if can_be_there else (path, *olds):
            if each.is_file() or each.is_dir():
                raise UsageError(f"{each} exists already", "go on in it with --append, or begin anew with --force")
        is_there = path.exists()
    if not is_there:
        require_folder(path)


class GrowingFile:
    """A file that lines are added to. Raises UsageError when there is one that is not to be gone on with, or none.

    Once it would become larger than ``most_bytes`` it is called FILE.1, the one before it FILE.2, and of all of them
    ``kept`` are left. A new file begins with ``head``. It holds a target's data: nobody else may read it.
    """

    def __init__(
        self,
        path: Path,
        *,
        appends: bool,
        replaces: bool,
        most_bytes: int | None = None,
        kept: int = 0,
        head: bytes = b"",
    ) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._kept = kept
        self._head = head
        self._is_left = False
        require_free(path, most_bytes, kept, can_be_there=appends or replaces)
        try:
            if replaces and not appends and path.is_file():
                path.unlink()
            self._descriptor = self._opened(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}", "choose another place with -o") from None

    def reopen(self) -> None:
        """Go on in a new file with the next line: somebody has moved this one away. From a signal handler, too.

        That one was deleted is seen without it.
        """
        self._is_left = True

    def write(self, line: bytes) -> None:
        """Add all of it, or nothing where there is no room. Raises OSError."""
        if self._is_left or not os.fstat(self._descriptor).st_nlink:  # what is deleted nobody will ever read
            self._is_left = False
            self._go_on_in(self._opened(self._path))  # the old one is kept where there can be no new one
        size = os.fstat(self._descriptor).st_size
        if self._most_bytes is not None and size + len(line) > self._most_bytes and size > len(self._head):
            self._turn()
            size = os.fstat(self._descriptor).st_size
        written = 0
        try:
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
        except OSError:
            if written:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, size)
            raise

    def close(self) -> None:
        """Give it back."""
        os.close(self._descriptor)

    def _opened(self, path: Path) -> int:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if self._head and not os.fstat(descriptor).st_size:
                os.write(descriptor, self._head)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _go_on_in(self, descriptor: int) -> None:
        os.close(self._descriptor)
        self._descriptor = descriptor

    def _turn(self) -> None:
        """Give all of them their next number; the last falls off.

        The new one is made first: where there is no room for it all stay as they are, however often it is tried.
        """
        made = unfinished(self._path)
        try:
            new = self._opened(made)
            try:
                self._shift()
                made.rename(self._path)
            except OSError:
                os.close(new)
                raise
        except OSError:
            made.unlink(missing_ok=True)
            raise
        self._go_on_in(new)

    def _shift(self) -> None:
        if not self._kept or not self._path.exists():  # where somebody took it away none of the others gets older
            return
        for number in range(self._kept - 1, 0, -1):
            if (old := _numbered(self._path, number)).exists():
                old.rename(_numbered(self._path, number + 1))
        self._path.rename(_numbered(self._path, 1))


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
