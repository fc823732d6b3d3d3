"""Pages in RAM, of memory that we have touched ourselves."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from memdash.errors import AccessDenied, BadRead, TargetExited
from memdash.process.pagemap import PAGE_BYTES, PageMap, Pages

Start = Callable[..., "subprocess.Popen[bytes]"]
PAGES = 70_000
"""More than are asked about in one system call."""


@pytest.fixture
def reserved() -> Iterator[tuple[mmap.mmap, int]]:
    """Untouched memory and its address."""
    memory = mmap.mmap(-1, PAGES * PAGE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    holder = ctypes.c_char.from_buffer(memory)
    yield memory, ctypes.addressof(holder)
    del holder
    memory.close()


def test_counts_what_was_touched(reserved: tuple[mmap.mmap, int]) -> None:
    memory, at = reserved
    end = at + PAGES * PAGE_BYTES
    with PageMap(os.getpid()) as pages:
        assert pages.count([(at, end)]) == Pages(0, 0)
        for page in (0, 1, 7, PAGES - 1):
            memory[page * PAGE_BYTES] = 1
        assert pages.count([(at, end)]) == Pages(4 * PAGE_BYTES, 0)
        assert pages.count([(at, at + PAGE_BYTES), (end - PAGE_BYTES, end)]) == Pages(2 * PAGE_BYTES, 0)
        assert pages.count([(at + 1, at + PAGE_BYTES + 1)]) == Pages(2 * PAGE_BYTES, 0)
        assert pages.count([]) == Pages(0, 0)


def test_what_is_not_mapped_is_not_there() -> None:
    with PageMap(os.getpid()) as pages:
        assert pages.count([(0x10_0000_0000, 0x10_0010_0000)]) == Pages(0, 0)


@pytest.mark.parametrize("start", [1 << 48, 1 << 62, (1 << 64) - PAGE_BYTES])
def test_beyond_all_addresses_there_is_nothing_to_be_told(start: int) -> None:
    with PageMap(os.getpid()) as pages, pytest.raises(BadRead):
        pages.count([(start, start + PAGE_BYTES)])


def test_one_that_has_ended_says_so(start: Start) -> None:
    child = start("sleep", "60")
    pages = PageMap(child.pid)
    child.kill()
    child.wait()
    with pytest.raises(TargetExited):
        pages.count([(0x400000, 0x500000)])
    pages.close()
    pages.close()
    with pytest.raises(TargetExited):
        PageMap(child.pid)


def test_another_users_are_closed(start: Start, as_nobody: Callable[[Callable[[], str]], str]) -> None:
    child = start("sleep", "60")
    assert as_nobody(lambda: str(PageMap(child.pid))).startswith(AccessDenied.__name__)
