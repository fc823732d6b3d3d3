"""The files a process has mapped, from /proc/PID/maps.

Parsing it takes 1 µs a line for some hundreds of lines, and the kernel as long again to write them: look once, at
attach. Source: proc_pid_maps(5).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from memdash.errors import AccessDenied, TargetExited
from memdash.process.elf import Elf

__all__ = ["DELETED", "MappedFile", "mapped_files", "read_maps"]

_PAGE_BYTES = 4096
_FIRST_PIECE = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) \S{3}p 0+ \S+ \d+ +(/.*)$", re.MULTILINE)
"""Of a private mapping: what is loaded is one. Who only reads a library, as memdash reads a target's, may share it."""

DELETED = " (deleted)"
"""What the kernel adds to the path of a file that is no longer there."""


class MappedFile(NamedTuple):
    """A file whose beginning is mapped at ``start``. ``path`` is as the process sees it, not always printable."""

    pid: int
    start: int
    end: int
    path: str
    is_deleted: bool

    @property
    def name(self) -> str:
        """The last part of the path: untrusted text."""
        return os.fsencode(self.path.rpartition("/")[2]).decode(errors="backslashreplace")

    def open(self) -> Elf:
        """The file itself, also from another mount namespace; a deleted one only for root.

        Raises UnsupportedRuntime, BadRead, AccessDenied, TargetExited.
        """
        if self.is_deleted:
            return Elf(f"/proc/{self.pid}/map_files/{self.start:x}-{self.end:x}")
        return Elf(f"/proc/{self.pid}/root{self.path}")

    def bias(self, elf: Elf) -> int:
        """What to add to an address in the file to get its address in the process."""
        first = next(segment for segment in elf.segments if segment.is_loaded)
        return self.start - (first.address - first.offset) // _PAGE_BYTES * _PAGE_BYTES


def mapped_files(pid: int) -> Iterator[MappedFile]:
    """The files it has mapped for itself, each once, in the order of addresses. Raises AccessDenied, TargetExited."""
    seen = set()
    for start, end, raw_path in _FIRST_PIECE.findall(read_maps(pid)):
        if raw_path not in seen:
            seen.add(raw_path)
            path = os.fsdecode(raw_path)
            is_deleted = path.endswith(DELETED)
            yield MappedFile(pid, int(start, 16), int(end, 16), path.removesuffix(DELETED), is_deleted)


def read_maps(pid: int) -> bytes:
    """All lines of the file, as the kernel writes them. Raises AccessDenied, TargetExited."""
    try:
        with open(f"/proc/{pid}/maps", "rb") as file:
            return file.read()
    except PermissionError:
        raise AccessDenied(f"the kernel does not let memdash look into process {pid}") from None
    except (FileNotFoundError, ProcessLookupError):
        raise TargetExited(f"process {pid} has ended") from None
