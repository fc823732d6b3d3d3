"""Pages of arenas, wherever these are."""

import mmap
import os
from ctypes import addressof, c_char

import pytest

from memdash.errors import BadRead, TargetExited
from memdash.model.residence import Arenas
from memdash.probes import arenas as module
from memdash.probes.arenas import ArenaCounter

PAGE = mmap.PAGESIZE


def test_neighbours_are_joined_and_counted_once() -> None:
    memory = mmap.mmap(-1, 8 * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory[0] = memory[3 * PAGE] = memory[7 * PAGE] = 1
    holder = c_char.from_buffer(memory)
    at = addressof(holder)
    counter = ArenaCounter(os.getpid())
    pieces = [(at + 4 * PAGE, at + 6 * PAGE), (at, at + 2 * PAGE), (at + 2 * PAGE, at + 4 * PAGE)]
    found = counter.count(pieces)
    assert found == Arenas(((at, at + 6 * PAGE),), 2 * PAGE, 0)
    assert found.size_bytes == 6 * PAGE
    assert counter.count([(at + 7 * PAGE, at + 8 * PAGE)]).resident_bytes == PAGE
    counter.close()
    counter.close()
    del holder
    memory.close()


def test_very_many_pieces_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_RANGES", 2)
    with pytest.raises(BadRead, match="3 pieces"):
        ArenaCounter(os.getpid()).count([(n * 2 * PAGE, (n * 2 + 1) * PAGE) for n in range(3)])


def test_whether_the_pages_are_told_is_asked_when_they_are_counted(zombie: int) -> None:
    counter = ArenaCounter(1 << 22)
    with pytest.raises(TargetExited):
        counter.count([])
    with pytest.raises(TargetExited):
        ArenaCounter(zombie).count([(PAGE, 2 * PAGE)])
