"""Which thread of the kernel a thread state is: by its word, or by the C library's record."""

from __future__ import annotations

import struct
from typing import cast

from memdash.errors import BadRead
from memdash.probes.cpython.native_ids import NativeIds
from memdash.probes.cpython.states import ThreadState
from memdash.process.memory import ProcessMemory

AT = 720


class Records:
    """Memory with a record of ``size`` bytes for each thread, at 0x1000 times its place."""

    def __init__(self, tids: list[int], at: int = AT, size: int = 2304) -> None:
        self._at, self._size = at, size
        self.tids = tids
        self.reads = 0

    def read(self, address: int, size: int) -> bytes:
        self.reads += 1
        place, offset = address // 0x1000 - 1, address % 0x1000
        if not 0 <= place < len(self.tids) or offset + size > self._size:
            raise BadRead("not mapped")
        record = bytearray(self._size)
        struct.pack_into("<I", record, 16, 11)  # a word that is the same in all of them
        struct.pack_into("<I", record, self._at, self.tids[place])
        return bytes(record[offset : offset + size])

    def u32(self, address: int) -> int:
        return int.from_bytes(self.read(address, 4), "little")


def ids_of(records: Records) -> NativeIds:
    return NativeIds(cast("ProcessMemory", records))


def states(count: int, natives: list[int] | None = None) -> list[ThreadState]:
    return [ThreadState(n, 1, 0x1000 * (n + 1), natives[n] if natives else 0) for n in range(count)]


def same(*numbers: int) -> dict[int, int]:
    return {number: number for number in numbers}


def test_what_the_thread_state_says_is_believed_first() -> None:
    records = Records([11, 12])
    assert ids_of(records).of(states(2, [11, 12]), same(11, 12)) == [11, 12]
    assert not records.reads


def test_the_record_tells_where_the_state_does_not() -> None:
    assert ids_of(Records([11, 12, 13])).of(states(3), same(11, 12, 13, 14)) == [11, 12, 13]


def test_after_a_fork_the_state_says_the_parents() -> None:
    assert ids_of(Records([31])).of(states(1, [11]), same(31)) == [31]


def test_a_short_record_is_found_as_well() -> None:
    assert ids_of(Records([11, 12], at=48, size=256)).of(states(2), same(11, 12)) == [11, 12]


def test_a_container_counts_on_its_own() -> None:
    assert ids_of(Records([1, 7])).of(states(2), {1: 500, 7: 507}) == [500, 507]


def test_where_it_was_found_is_not_looked_for_again() -> None:
    records = Records([11, 12])
    ids = ids_of(records)
    ids.of(states(2), same(11, 12))
    before = records.reads
    assert ids.of(states(2), same(11, 12)) == [11, 12]
    assert records.reads == before + 2


def test_threads_that_have_ended_are_none() -> None:
    assert ids_of(Records([11, 12, 13])).of(states(4), same(11, 12)) == [11, 12, 0, 0]


def test_records_without_any_number_tell_nothing() -> None:
    assert ids_of(Records([91, 92])).of(states(2), same(1, 2)) == [0, 0]
    assert ids_of(Records([])).of([], {}) == []
