"""What is read of one goroutine, the runtime's struct g. Source: runtime/runtime2.go (g, gobuf, stack)."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from memdash.probes.go.program import Program
from memdash.probes.go.stacks import Place
from memdash.process.lanes import differences

__all__ = ["Common", "Goroutine", "GoroutineRecord", "Goroutines"]

_PACKED_BYTES = 8 * 8 + 4 + 1
"""Eight words, the status and the reason."""
_COMMON = struct.Struct("<6QIB3x")
_COMMON_BYTES = struct.Struct(f"{_COMMON.size}s")


class Goroutine(NamedTuple):
    """What is read of one goroutine, under our names: its stack, where it was parked, what it waits for since when."""

    stack_start: int
    stack_end: int
    sp: int
    pc: int
    number: int
    waits_since_ns: int
    created_at: int
    started_at: int
    status: int
    reason: int

    @property
    def common(self) -> Common:
        """What it may have in common with others."""
        return Common(
            pc=self.pc,
            live_bytes=self.stack_end - self.sp,
            stack_bytes=self.stack_end - self.stack_start,
            waits_since_ns=self.waits_since_ns,
            created_at=self.created_at,
            started_at=self.started_at,
            status=self.status,
            reason=self.reason,
        )


class Common(NamedTuple):
    """What those have in common that differ only in number and in where their stacks are."""

    pc: int
    live_bytes: int
    stack_bytes: int
    waits_since_ns: int
    created_at: int
    started_at: int
    status: int
    reason: int

    @property
    def place(self) -> Place:
        """Where their stacks are to be walked from."""
        return Place(self.pc, self.live_bytes, self.started_at)


class Goroutines(NamedTuple):
    """The fields of many goroutines: those of ``Goroutine``, of each all values."""

    stack_start: memoryview
    stack_end: memoryview
    sp: memoryview
    pc: memoryview
    number: memoryview
    waits_since_ns: memoryview
    created_at: memoryview
    started_at: memoryview
    status: memoryview
    reason: memoryview

    def each(self) -> list[Goroutine]:
        """One by one."""
        return [Goroutine(*fields) for fields in zip(*self, strict=True)]

    def alike(self) -> Iterator[tuple[Common, Sequence[int]]]:
        """Those that have all in common, by their place in the fields: 0.2 ms for 1024.

        They are told apart by the bytes of what they have in common, before these become numbers of Python's.
        """
        count = len(self.pc)
        content = bytearray(_COMMON.size * count)
        words, halves = memoryview(content).cast("Q"), memoryview(content).cast("I")
        live_bytes = differences(self.stack_end, self.sp)
        stack_bytes = differences(self.stack_end, self.stack_start)
        common = self.pc, live_bytes, stack_bytes, self.waits_since_ns, self.created_at, self.started_at
        for at, field in enumerate(common):
            words[at :: _COMMON.size // 8] = field
        halves[2 * len(common) :: _COMMON.size // 4] = self.status
        memoryview(content)[8 * len(common) + 4 :: _COMMON.size] = self.reason
        if content == content[: _COMMON.size] * count:  # as among those that a leak leaves behind
            yield Common._make(_COMMON.unpack_from(content)), range(count)
            return
        found: dict[tuple[bytes, ...], list[int]] = defaultdict(list)
        for number, alike in enumerate(_COMMON_BYTES.iter_unpack(content)):
            found[alike].append(number)
        for (each,), numbers in found.items():
            yield Common._make(_COMMON.unpack(each)), numbers


class GoroutineRecord:
    """Where in a g the fields of ``Goroutine`` stand. Its first bytes are read, up to the last of them."""

    def __init__(self, program: Program) -> None:
        g, sched = program.offset, program.offset("g", "sched")
        stack = g("g", "stack")
        self.words = (
            stack + g("stack", "lo"),
            stack + g("stack", "hi"),
            sched + g("gobuf", "sp"),
            sched + g("gobuf", "pc"),
            *(g("g", name) for name in ("goid", "waitsince", "gopc", "startpc")),
        )
        self.status, self.reason = g("g", "atomicstatus"), g("g", "waitreason")
        self.size = (max(*self.words, self.status, self.reason) | 7) + 1

    def packed(self, content: memoryview, distance: int) -> bytes:
        """The fields of all records in ``content``, field after field: a quarter of it. 70 µs for 1024.

        A record begins every ``distance`` bytes, which are whole words.
        """
        words, halves = content.cast("Q"), content.cast("I")
        fields = [words[at // 8 :: distance // 8] for at in self.words]
        fields += [halves[self.status // 4 :: distance // 4], content[self.reason :: distance]]
        return b"".join([field.tobytes() for field in fields])

    @staticmethod
    def unpacked(packed: bytes) -> Goroutines:
        """The same, each field by itself."""
        content = memoryview(packed)
        count = len(packed) // _PACKED_BYTES
        words, rest = content[: 64 * count].cast("Q"), content[64 * count :]
        fields = [words[at : at + count] for at in range(0, 8 * count, count)]
        return Goroutines._make([*fields, rest[: 4 * count].cast("I"), rest[4 * count :]])
