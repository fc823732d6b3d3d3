"""Records of this very process, some of them unmapped."""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from array import array

from memdash.process.memory import ProcessMemory
from memdash.process.scatter import Scatter


def read(scatter: Scatter, addresses: list[int]) -> dict[int, bytes]:
    found = {}
    for places, content in scatter.read(array("Q", addresses)):
        for number, place in enumerate(places):
            found[place] = bytes(content[scatter.size * number : scatter.size * (number + 1)])
    return found


def test_records_come_with_their_addresses_however_many_there_are() -> None:
    held = ctypes.create_string_buffer(struct.pack("<3000Q", *range(3000)))
    start = ctypes.addressof(held)
    with ProcessMemory(os.getpid()) as memory:
        found = read(Scatter(memory, 8), [start + 8 * number for number in range(3000)])
        assert found == {start + 8 * number: struct.pack("<Q", number) for number in range(3000)}
        assert read(Scatter(memory, 8), []) == {}


def test_what_is_not_mapped_is_left_out() -> None:
    pages = mmap.mmap(-1, 3 * mmap.PAGESIZE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    libc = ctypes.CDLL(None)
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    assert libc.mprotect(start + mmap.PAGESIZE, mmap.PAGESIZE, 0) == 0
    with ProcessMemory(os.getpid()) as memory:
        wanted = [start, start + mmap.PAGESIZE, start + 2 * mmap.PAGESIZE, start + mmap.PAGESIZE - 4, 0, (1 << 64) - 8]
        assert read(Scatter(memory, 8), wanted).keys() == {start, start + 2 * mmap.PAGESIZE}
