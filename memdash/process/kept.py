"""A small file of /proc or /sys/fs/cgroup that stays open and is read again from its start at every tick."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["KeptFile"]


class KeptFile:
    """Reading costs one system call (1 to 4 µs), against three and a path walk for a file opened each time.

    A file of /proc/PID stays with its process: once that has been reaped, ``read`` raises ProcessLookupError, whoever
    has the pid by then. Opening and reading raise OSError as the kernel says.
    """

    def __init__(self, path: str | Path, size_bytes: int = 4096) -> None:
        self._size_bytes = size_bytes
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self) -> bytes:
        """What it says now, up to the size asked for."""
        return os.pread(self._fd, self._size_bytes, 0)

    def close(self) -> None:
        """Close it; may be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
