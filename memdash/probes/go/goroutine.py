"""What is read of one goroutine, the runtime's struct g. Source: runtime/runtime2.go (g, gobuf, stack)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from memdash.probes.go.program import Program
from memdash.probes.go.stacks import Place

__all__ = ["Goroutine", "GoroutineRecord"]


_PACKED_BYTES = 8 * 8 + 4 + 1
"""Eight words, the status and the reason."""


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
    def place(self) -> Place:
        """Where its stack is to be walked from."""
        return Place(self.pc, self.stack_end - self.sp, self.started_at)


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

    def packed(self, content: memoryview) -> bytes:
        """The fields of all records that ``content`` holds, field after field: a quarter of it. 80 µs for 1024."""
        words, halves = content.cast("Q"), content.cast("I")
        fields = [words[at // 8 :: self.size // 8] for at in self.words]
        fields += [halves[self.status // 4 :: self.size // 4], content[self.reason :: self.size]]
        return b"".join([field.tobytes() for field in fields])

    @staticmethod
    def numbers(packed: bytes) -> memoryview:
        """The number of each record."""
        count, at = len(packed) // _PACKED_BYTES, Goroutine._fields.index("number")
        return memoryview(packed)[8 * at * count : 8 * (at + 1) * count].cast("Q")

    @staticmethod
    def rows(packed: bytes, count: int) -> Iterator[tuple[int, ...]]:
        """The fields of each record."""
        content = memoryview(packed)
        words, rest = content[: 64 * count].cast("Q"), content[64 * count :]
        columns = [words[at : at + count] for at in range(0, 8 * count, count)]
        return zip(*columns, rest[: 4 * count].cast("I"), rest[4 * count :], strict=True)
