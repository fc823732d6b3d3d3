"""Whether more may come of a recording that others write, without opening its file.

SQLite loses its own locks on a file that is open when the same process opens and closes it once more.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["Followed"]

_LOCKS = Path("/proc/locks")
_MOST_BYTES = 1 << 20
_WORDS, _KIND, _PID, _FILE = 8, 1, 4, 5
"""Of a line: ``1: FLOCK  ADVISORY  WRITE 31178 fe:00:3786767 0 EOF``."""


class Followed:
    """The file of a recording while somebody looks at it. ``path`` is None for one that has no file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file = None if path is None else _file_at(path)
        self._is_written = False

    def cut_off(self, *, has_grown: bool) -> str:
        """Why no more will come, as a sentence; empty while it may, and where nobody wrote it when it was last seen.

        ``has_grown`` says whether more has come since it was asked before. Where a recording grows somebody holds its
        lock, which ends with the process however that goes. The kernel tells of no locks of other containers, and
        where it never told of one nothing is said. Never raises.
        """
        if self._path is None or self._file is None:
            return ""
        is_held = _is_held(self._file)
        self._is_written = self._is_written or (has_grown and is_held)
        if not self._is_written:
            return ""
        if _file_at(self._path) != self._file:
            return f"{self._path.name} has been moved or deleted: nothing of what is recorded since comes here."
        return "" if is_held else f"Nobody records into {self._path.name} any more: this run goes no further."


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_held(file: tuple[int, int]) -> bool:
    """Whether another process has a lock on the whole of it, as a ``Place`` has."""
    device, inode = file
    name = f"{os.major(device):02x}:{os.minor(device):02x}:{inode}"
    try:
        with _LOCKS.open(encoding="ascii", errors="replace") as locks:
            lines = locks.read(_MOST_BYTES).splitlines()
    except OSError:
        return False
    held = [words for words in map(str.split, lines) if len(words) == _WORDS and words[_FILE] == name]
    return any(words[_KIND] == "FLOCK" and words[_PID] != str(os.getpid()) for words in held)
