"""Which pages of a process are in RAM: /proc/PID/pagemap, a word for each page of its address space.

10 ms for each GiB that is there, most of it in the kernel, without the interpreter's lock. Source:
Documentation/admin-guide/mm/pagemap.rst.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple, Self

from memdash.errors import BadRead, TargetExited
from memdash.process.refused import Refusals

__all__ = ["PAGE_BYTES", "PageMap", "Pages"]

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

_REFUSALS = Refusals(
    "pagemap",
    absent="the kernel does not tell which pages are in RAM",
    denied="the kernel shows the pages of a process only to its owner",
)
_WORD_BYTES = 8
_CHUNK_PAGES = 1 << 16
_PRESENT, _SWAPPED, _ABSENT = b"P", b"S", b"-"
_STATE = b"".join(_PRESENT if top & 0x80 else _SWAPPED if top & 0x40 else _ABSENT for top in range(256))
"""By the uppermost byte of a page's word: bit 63 says present, bit 62 swapped out."""


class Pages(NamedTuple):
    """Bytes of a stretch of address space that are in RAM, and that are in swap.

    Pages that were only read, never written to, are in RAM as one page of zeros that RSS does not count.
    """

    resident_bytes: int
    swapped_bytes: int


class PageMap:
    """That of one process. Opening raises AccessDenied, TargetExited, or UnsupportedRuntime."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._fd = -1
        try:
            self._fd = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise _REFUSALS.of(pid, error) from None

    def count(self, ranges: Iterable[tuple[int, int]]) -> Pages:
        """The pages between these (start, end) addresses, added up. Raises BadRead, TargetExited."""
        resident = swapped = 0
        for start, end in ranges:
            page, last = start // PAGE_BYTES, -(-end // PAGE_BYTES)
            while page < last:
                states = self._states(page, min(last - page, _CHUNK_PAGES))
                resident += states.count(_PRESENT)
                swapped += states.count(_SWAPPED)
                page += len(states)
        return Pages(resident * PAGE_BYTES, swapped * PAGE_BYTES)

    def _states(self, page: int, count: int) -> bytes:
        """A letter for each of so many pages, or of fewer but at least one."""
        try:
            words = os.pread(self._fd, count * _WORD_BYTES, page * _WORD_BYTES)
        except ProcessLookupError:
            raise TargetExited(f"process {self._pid} has ended") from None
        except (OSError, OverflowError) as error:
            raise BadRead(f"pagemap cannot be read: {error}") from None
        if len(words) < _WORD_BYTES:  # it has no memory any more, or never had any there
            if not os.path.exists(f"/proc/{self._pid}"):  # noqa: PTH110
                raise TargetExited(f"process {self._pid} has ended")
            raise BadRead(f"pagemap says nothing of page {page:#x}")
        return words[_WORD_BYTES - 1 :: _WORD_BYTES].translate(_STATE)

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
