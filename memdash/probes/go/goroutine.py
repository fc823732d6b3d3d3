"""What is read of one goroutine, the runtime's struct g. Source: runtime/runtime2.go (g, gobuf, stack)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from memdash.probes.go.program import Program
from memdash.probes.go.stacks import Place

__all__ = ["Goroutine", "GoroutineRecord", "Goroutines"]

_PACKED_BYTES = 8 * 8 + 4 + 1


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


class Goroutines(NamedTuple):
    """The fields of many goroutines: those of ``Goroutine``, of each all values."""

    stack_start: Sequence[int]
    stack_end: Sequence[int]
    sp: Sequence[int]
    pc: Sequence[int]
    number: Sequence[int]
    waits_since_ns: Sequence[int]
    created_at: Sequence[int]
    started_at: Sequence[int]
    status: Sequence[int]
    reason: Sequence[int]

    def each(self) -> list[Goroutine]:
        """One by one."""
        return [Goroutine(*fields) for fields in zip(*self, strict=True)]


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
