"""What is taken for permanent stays bounded, however often a view is made anew."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from memdash.ui.lean import undisturbed


@pytest.fixture
def frozen() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Ring:
    """Refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.ring = self


@pytest.mark.matrix  # looking at all garbage takes long beside so many other tests
@pytest.mark.usefixtures("frozen")
def test_garbage_does_not_stay_for_good() -> None:
    counts = []
    for _ in range(65):
        on_screen = [Ring() for _ in range(400)]
        with undisturbed():
            pass
        del on_screen
        counts.append(gc.get_freeze_count())
    assert max(counts) - counts[0] < 16_000
    assert gc.isenabled()


def test_in_a_program_that_others_use_too_nothing_is_taken_for_permanent() -> None:
    gc.unfreeze()  # what other tests may have left
    with undisturbed():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


_LARGE_ONES = """
import ctypes
from memdash.ui.lean import settle

def in_heap():
    fields = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = type("Figures", (ctypes.Structure,), {"_fields_": fields})
    return mallinfo().arena

bytearray(16 << 20)  # freed at once: from now on glibc takes less than that from its heap
before = in_heap()
held = bytearray(4 << 20)
print((in_heap() - before) >> 20)
del held
settle()
before = in_heap()
held = bytearray(4 << 20)
print((in_heap() - before) >> 20)
"""


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="glibc alone keeps what is large")
def test_once_settled_large_pieces_do_not_make_the_heap_grow() -> None:
    done = subprocess.run([sys.executable, "-c", _LARGE_ONES], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["4", "0"]
