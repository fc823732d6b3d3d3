"""The innermost part of many stacks, read together and looked up among the stacks that are known."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from memdash.errors import BadRead
from memdash.probes.go.stacks import Alike, Place, Stack, Stacks
from memdash.process.memory import ProcessMemory, ReadPlan

__all__ = ["Parked", "Pieces", "StackPieces"]

_AT_ONCE = 1024
_AT_ONCE_BYTES = 512 << 10
"""What one system call reads: so many pieces, so many bytes."""

_SMALLEST, _LARGEST = 128, 32 << 10
"""Pieces have sizes that are powers of 2, as stacks have, of which none is smaller than 2048."""


class Parked(NamedTuple):
    """Goroutines that are parked at one place; ``members`` are their numbers."""

    place: Place
    members: Sequence[int]


_Lot: TypeAlias = list[tuple[Alike, Parked]]
"""Some of them, with what is known of such stacks."""


class _Known(NamedTuple):
    """What is known of some stacks, ``number`` in a row; where in a piece of each the stack pointer stands."""

    alike: Alike
    at: int
    number: int


class Pieces(NamedTuple):
    """What one system call reads: pieces of one size, where each begins, and what they are, one after the other."""

    size: int
    starts: array[int]
    groups: list[_Known]


@dataclass(slots=True)
class LookedUp:
    """Those whose stack is not known, and what was read: ``digest`` differs when the pieces show anything else."""

    unknown: list[Parked] = field(default_factory=list)
    pieces: list[Pieces] = field(default_factory=list)
    digest: int = 0


class StackPieces:
    """Reads pieces of stacks, none of which reaches beyond its stack."""

    def __init__(self, memory: ProcessMemory, stacks: Stacks) -> None:
        self._memory = memory
        self._stacks = stacks
        self._plans: dict[int, ReadPlan] = {}

    def look_up(self, parked: Iterable[Parked], sp: Sequence[int], stacks: list[Stack]) -> LookedUp:
        """Put the stacks that are known into ``stacks``; as ``sp``, the stack pointers, it is by number.

        1 µs a stack, mostly the kernel's.
        """
        found = LookedUp()
        by_size: dict[int, _Lot] = defaultdict(list)
        for each in parked:
            alike = self._stacks.alike(each.place)
            if alike is None or alike.needed_bytes > _LARGEST:
                found.unknown.append(each)
            else:
                by_size[max(1 << (alike.needed_bytes - 1).bit_length(), _SMALLEST)].append((alike, each))
        for size, groups in by_size.items():
            for lot in _lots(groups, min(_AT_ONCE, _AT_ONCE_BYTES // size)):
                self._look_up(lot, size, sp, stacks, found)
        return found

    def digest(self, pieces: Iterable[Pieces]) -> int | None:
        """What ``look_up`` said of them, if they show what they showed then: 0.6 µs each."""
        digest = 0
        try:
            for these in pieces:
                for shown in self._shown(these):
                    digest = hash((digest, shown))
        except BadRead:
            return None
        return digest

    def _look_up(self, lot: _Lot, size: int, sp: Sequence[int], stacks: list[Stack], found: LookedUp) -> None:
        """As many as one system call takes."""
        groups = []
        starts: list[int] = []
        for alike, (place, members) in lot:
            at = max(size - place.live_bytes, 0)
            starts += [sp[i] - at for i in members]
            groups.append(_Known(alike, at, len(members)))
        try:
            pieces = Pieces(size, array("Q", starts), groups)
            shown = list(self._shown(pieces))
        except (BadRead, OverflowError):  # one of them is gone, or nonsense: each will be looked at alone
            found.unknown += [parked for _, parked in lot]
            return
        found.pieces.append(pieces)
        for (alike, (place, members)), words in zip(lot, shown, strict=True):
            found.digest = hash((found.digest, words))
            unknown = []
            for i, stack in zip(members, alike.find(words, len(members)), strict=True):
                if stack is None:
                    unknown.append(i)
                else:
                    stacks[i] = stack
            if unknown:
                found.unknown.append(Parked(place, unknown))

    def _shown(self, pieces: Pieces) -> Iterator[bytes]:
        """Fetch pieces, and yield what identifies the stacks of each group. Raises BadRead."""
        content, end = self._fetched(pieces.size, pieces.starts), 0
        for alike, at, number in pieces.groups:
            start, end = end, end + pieces.size * number
            yield alike.shown(content[start:end], pieces.size, at)

    def _fetched(self, size: int, starts: array[int]) -> memoryview:
        plan = self._plans.get(size)
        if plan is None:
            parts = [(0, size)] * min(_AT_ONCE, _AT_ONCE_BYTES // size)
            plan = self._plans[size] = self._memory.plan(parts)
        return plan.read_at(starts)


def _lots(groups: _Lot, most: int) -> Iterator[_Lot]:
    """The same with up to so many members together; a group may be divided."""
    lot: _Lot = []
    room = most
    for alike, (place, members) in groups:
        rest = members
        while rest:
            these, rest = rest[:room], rest[room:]
            lot.append((alike, Parked(place, these)))
            room -= len(these)
            if not room:
                yield lot
                lot, room = [], most
    if lot:
        yield lot
