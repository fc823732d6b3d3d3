"""The folders in which evidence is kept: each whole or not there at all, and no more of them than there is room for.

A folder of ours has a name of one form and a marker in it; nothing else is ever removed. One to which somebody has
added a file is left alone.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from memdash.errors import HookError
from memdash.model.finding import Finding, Severity
from memdash.model.target import Target
from memdash.units import file_time

__all__ = ["FILES", "Folders", "private_file"]

FILES = ("heap.pb.gz", "tasks.json", "residence.json", "report.txt", "finding.json", "run.mdr")
"""What a folder may hold, beside its marker."""

_MARKER = ".memdash-evidence"
_UNFINISHED = ".memdash-unfinished-"
_NAME = re.compile(r"\d{8}-\d{6}-[\w.+-]{1,120}", re.ASCII)
_OURS = {*FILES, _MARKER, *(f"run.mdr{suffix}" for suffix in ("-wal", "-shm", "-journal"))}
_MARKER_BYTES = 4096
_ABANDONED_S = 3600.0
_LONGEST_RULE = 40
_LATEST_S = 7.3e9
"""The year 2201, in Unix time."""


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    severity: int
    at_s: float
    size_bytes: int

    @property
    def rank(self) -> tuple[int, float]:
        """The gravest first, then the newest."""
        return self.severity, self.at_s


class Folders:
    """Keeps the ``most`` worst in ``root``, of ``most_bytes`` together; the newest is kept however large it is.

    ``newest`` is the one that was made last. Belongs to one thread.
    """

    def __init__(self, root: Path, most: int, most_bytes: int) -> None:
        self._root = root
        self._most = most
        self._most_bytes = most_bytes
        self.newest: Path | None = None

    def prepare(self) -> None:
        """Make the place, for our eyes alone where it is new, and remove what an earlier memdash left unfinished."""
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self._root, os.W_OK | os.X_OK):
                raise PermissionError(13, "Permission denied")
            names = _names(self._root)
        except OSError as error:
            raise HookError(f"{self._root} cannot be written to: {error.strerror}") from None
        for name in names:
            if name.startswith(_UNFINISHED):
                self._remove_abandoned(name)

    def takes(self, severity: Severity) -> bool:
        """Whether something as bad as this, and new, would be kept."""
        return sum(kept.severity > severity for kept in self._kept()) < self._most

    @contextmanager
    def made(self, target: Target, finding: Finding, at_s: float) -> Iterator[Path]:
        """A folder to be filled, which gets its name once it has been, and goes when that fails.

        Raises OSError.
        """
        self._root.mkdir(mode=0o700, exist_ok=True)  # somebody may have taken it away since it was prepared
        unfinished = self._root / f"{_UNFINISHED}{os.urandom(8).hex()}"
        unfinished.mkdir(mode=0o700)
        try:
            marker = {"schema": "memdash-evidence/1", "severity": int(finding.severity), "at_s": at_s}
            private_file(unfinished / _MARKER, json.dumps(marker).encode())
            yield unfinished
            rule = re.sub(r"[^\w.+-]+", "_", finding.rule, flags=re.ASCII)[:_LONGEST_RULE]
            self._publish(unfinished, f"{file_time(at_s)}-{rule}-{target.file_name}")
        except BaseException:
            self._remove(unfinished.name)
            raise
        self._prune()

    def _publish(self, unfinished: Path, name: str) -> None:
        """Two alerts of one rule may come within a second."""
        for number in range(1, 100):
            path = self._root / (name if number == 1 else f"{name}-{number}")
            if not path.exists() and not path.is_symlink():  # a rename would replace an empty folder
                unfinished.rename(path)
                self.newest = path
                return
        raise FileExistsError(17, f"there are too many folders named {name}")

    def _prune(self) -> None:
        """Let go of the least bad, and of these of the oldest."""
        kept = sorted(self._kept(), key=lambda each: each.rank, reverse=True)
        newest = max(kept, key=lambda each: each.at_s, default=None)
        used = 0
        for number, each in enumerate(kept):
            used += each.size_bytes
            if each is not newest and (number >= self._most or used > self._most_bytes) and self._remove(each.name):
                used -= each.size_bytes

    def _kept(self) -> list[_Kept]:
        """Raises OSError when the place cannot be looked into."""
        try:
            names = _names(self._root)
        except FileNotFoundError:
            return []
        found = []
        for name in names:
            if _NAME.fullmatch(name):
                with suppress(OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
                    found.append(self._read(name))
        return found

    def _read(self, name: str) -> _Kept:
        """Raises OSError for what is no folder, and any of the others for one that is not ours."""
        with _opened(self._root / name) as folder:
            marker = os.open(_MARKER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            with os.fdopen(marker, "rb") as file:
                found = os.fstat(marker)
                if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                    raise ValueError("it is somebody else's")
                said = json.loads(file.read(_MARKER_BYTES))
            sizes = [os.stat(each, dir_fd=folder, follow_symlinks=False).st_size for each in _names(folder)]
        return _Kept(name, Severity(said["severity"]), _time(said["at_s"]), sum(sizes))

    def _remove_abandoned(self, name: str) -> None:
        with suppress(OSError):
            found = (self._root / name).lstat()
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime > _ABANDONED_S:
                self._remove(name)

    def _remove(self, name: str) -> bool:
        """Whether it went: not what holds anything that is not ours. Raises nothing."""
        with suppress(OSError):
            with _opened(self._root / name) as folder:
                held = _names(folder)
                if not set(held) <= _OURS:
                    return False
                for each in sorted(held, key=_MARKER.__eq__):  # the marker last, so that what is left can be told
                    os.unlink(each, dir_fd=folder)
            (self._root / name).rmdir()
            return True
        return False


def _time(said: float) -> float:
    """Raises ValueError, TypeError or OverflowError for what is no time of this century or the next."""
    at_s = float(said)
    if not 0 <= at_s < _LATEST_S:
        raise ValueError("that is no time")
    return at_s


def _names(folder: Path | int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A folder itself, never what a link leads to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def private_file(path: Path, content: bytes) -> None:
    """Write a new file that only we may read. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
