"""Arenas and pools made by hand in this very process, walked as those of a target."""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Iterator
from typing import cast

import pytest

from memdash.errors import BadRead
from memdash.model.missing import Missing
from memdash.probes.cpython.arenas import ArenaTable, read_arenas
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.layouts import Layout, load
from memdash.probes.cpython.pymalloc import Pymalloc
from tests.probes.cpython.handmade import Exports, Here

ARENA_BYTES, POOL_BYTES = 1 << 20, 1 << 14


def the_layout() -> Layout:
    layout = load(13)
    assert layout is not None
    return layout


class Heap:
    """Up to 16 arenas; a pool is given as (blocks, size class)."""

    def __init__(self) -> None:
        self.interpreter = cast("Interpreter", Here(the_layout(), Exports({})))
        self.arenas: list[mmap.mmap] = []
        self.rows = ctypes.create_string_buffer(16 * 48)
        self.variables = (ctypes.c_uint64 * 3)(ctypes.addressof(self.rows), 16, 5)
        at = ctypes.addressof(self.variables)
        self.table = ArenaTable("hand", arenas_at=at, length_at=at + 8, large_blocks_at=at + 16)

    def add_arena(self, *pools: tuple[int, int]) -> None:
        arena = mmap.mmap(-1, ARENA_BYTES)
        start = ctypes.addressof(ctypes.c_char.from_buffer(arena))
        first = -(-start // POOL_BYTES) * POOL_BYTES
        index = len(self.arenas)
        for number, (blocks, size_class) in enumerate(pools):
            header = struct.pack("<IIQQQII", blocks, 0, 0, 0, 0, index, size_class)
            at = first - start + number * POOL_BYTES
            arena[at : at + len(header)] = header
        total = (start + ARENA_BYTES - first) // POOL_BYTES
        self.set_row(index, start, first + len(pools) * POOL_BYTES, total - len(pools), total)
        self.arenas.append(arena)

    def set_row(self, index: int, address: int, carved_up_to: int, free: int, total: int) -> None:
        struct.pack_into("<QQII", self.rows, 48 * index, address, carved_up_to, free, total)

    def walker(self) -> Pymalloc:
        return Pymalloc(self.interpreter, self.table)


@pytest.fixture
def heap() -> Iterator[Heap]:
    made = Heap()
    yield made
    made.interpreter.memory.close()


def test_blocks_and_bytes_add_up_over_arenas_and_classes(heap: Heap) -> None:
    heap.add_arena((10, 0), (20, 1), (0, 5))
    heap.add_arena((30, 31), (7, 0))
    state = heap.walker().read()
    assert not isinstance(state, Missing)
    assert state.arenas_bytes == 2 * ARENA_BYTES
    assert state.pools_bytes == 4 * POOL_BYTES
    assert (state.blocks_by_class[0], state.blocks_by_class[1], state.blocks_by_class[31]) == (17, 20, 30)
    assert state.small_bytes == 17 * 16 + 20 * 32 + 30 * 512
    assert state.all_blocks == 67 + 5


def test_a_second_walk_sees_what_changed(heap: Heap) -> None:
    heap.add_arena((10, 0))
    walker = heap.walker()
    walker.read()
    heap.add_arena(*((1, 2) for _ in range(40)))
    state = walker.read()
    assert not isinstance(state, Missing)
    assert sum(state.blocks_by_class) == 50


def test_a_pool_that_was_never_used_or_is_being_set_up_does_not_count(heap: Heap) -> None:
    heap.add_arena((10, 0), (3, 0xFFFF), (0, 0))
    state = heap.walker().read()
    assert not isinstance(state, Missing)
    assert sum(state.blocks_by_class) == 10
    assert state.pools_bytes == POOL_BYTES


def test_an_arena_given_back_meanwhile_is_left_out(heap: Heap) -> None:
    for _ in range(3):
        heap.add_arena(*((2, 3) for _ in range(60)))
    start = ctypes.addressof(ctypes.c_char.from_buffer(heap.arenas[1]))
    libc = ctypes.CDLL(None, use_errno=True)
    no_access, read_and_write = 0, 3
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    assert libc.mprotect(start, ARENA_BYTES, no_access) == 0
    try:
        state = heap.walker().read()
    finally:
        libc.mprotect(start, ARENA_BYTES, read_and_write)
    assert not isinstance(state, Missing)
    assert sum(state.blocks_by_class) == 2 * 60 * 2


def test_where_the_arenas_are(heap: Heap) -> None:
    heap.add_arena((3, 0))
    heap.add_arena((5, 1))
    starts = [ctypes.addressof(ctypes.c_char.from_buffer(arena)) for arena in heap.arenas]
    assert heap.walker().ranges() == [(start, start + ARENA_BYTES) for start in starts]


def test_no_arenas_mean_that_the_allocator_is_not_in_use(heap: Heap) -> None:
    state = heap.walker().read()
    assert isinstance(state, Missing)
    assert "not in use" in state.why
    assert "PYTHONMALLOC" in state.hint


def test_a_count_that_was_not_located_is_missing(heap: Heap) -> None:
    heap.add_arena((10, 0))
    table = ArenaTable("hand", heap.table.arenas_at, heap.table.length_at)
    state = Pymalloc(heap.interpreter, table).read()
    assert not isinstance(state, Missing)
    assert isinstance(state.all_blocks, Missing)
    only_total = Pymalloc(heap.interpreter, ArenaTable("hand", all_blocks_at=heap.table.large_blocks_at))
    assert isinstance(only_total.read(), Missing)
    assert only_total.all_blocks() == 5


@pytest.mark.parametrize(
    "row",
    [
        (1 << 40, (1 << 40) - 4096, 0, 64),  # carved below its start
        (1 << 40, (1 << 40) + 2 * ARENA_BYTES, 0, 64),  # carved beyond its end
        (1 << 40, 1 << 40, 65, 64),  # more free pools than pools
        (1 << 40, 1 << 40, 64, 32),  # too few pools
        (1 << 40, (1 << 40) + ARENA_BYTES // 4, 0, 64),  # pools neither carved nor free
    ],
)
def test_a_table_that_makes_no_sense_is_refused(heap: Heap, row: tuple[int, int, int, int]) -> None:
    heap.add_arena((10, 0))
    heap.set_row(5, *row)
    assert heap.table.arenas_at is not None
    assert heap.table.length_at is not None
    with pytest.raises(BadRead, match="table of arenas holds something else"):
        read_arenas(heap.interpreter, heap.table.arenas_at, heap.table.length_at)
    with pytest.raises(BadRead):
        heap.walker().read()


def test_an_absurd_length_is_refused(heap: Heap) -> None:
    heap.variables[1] = 1 << 31
    with pytest.raises(BadRead, match="places for arenas"):
        heap.walker().read()
