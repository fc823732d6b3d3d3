"""The innermost part of many stacks, read together and looked up among the stacks that are known."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.probes.go.stacks import Alike, Place, Stack, Stacks
from memdash.process.memory import ProcessMemory, ReadPlan

__all__ = ["LookedUp", "Parked", "Pieces", "StackPieces"]

_AT_ONCE = 1024
_AT_ONCE_BYTES = 512 << 10
"""What one system call reads: so many pieces, so many bytes."""

_SMALLEST, _LARGEST = 256, 32 << 10
"""Pieces have sizes that are powers of 2, as stacks have, of which none is smaller than 2048."""


class Parked(NamedTuple):
    """Goroutines that are parked at one place; ``members`` are their numbers."""

    place: Place
    members: Sequence[int]


class _Group(NamedTuple):
    """The same, with what is known of such stacks, and where in a piece the stack pointer stands."""

    alike: Alike
    at: int
    parked: Parked


class Pieces(NamedTuple):
    """What one system call reads: pieces of one size, where each begins, and whose they are, one after the other."""

    size: int
    starts: array[int]
    groups: list[_Group]


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
        by_size: dict[int, list[_Group]] = defaultdict(list)
        for each in parked:
            alike = self._stacks.alike(each.place)
            if alike is None or alike.needed_bytes > _LARGEST:
                found.unknown.append(each)
                continue
            size = max(1 << (alike.needed_bytes - 1).bit_length(), _SMALLEST)
            by_size[size].append(_Group(alike, max(size - each.place.live_bytes, 0), each))
        for size, groups in by_size.items():
            for lot in _lots(groups, min(_AT_ONCE, _AT_ONCE_BYTES // size)):
                try:
                    starts = array("Q", [sp[i] - at for _, at, parked in lot for i in parked.members])
                    self._look_up(Pieces(size, starts, lot), stacks, found)
                except (BadRead, OverflowError):  # one of them is gone, or nonsense: each will be looked at alone
                    found.unknown += [group.parked for group in lot]
        return found

    def digest(self, pieces: Iterable[Pieces]) -> int | None:
        """What ``look_up`` said of them, if they show what they showed then: 0.6 µs each."""
        digest = 0
        try:
            for these in pieces:
                for _, shown in self._shown(these):
                    digest = hash((digest, shown))
        except BadRead:
            return None
        return digest

    def _look_up(self, pieces: Pieces, stacks: list[Stack], found: LookedUp) -> None:
        """As many as one system call takes. Raises BadRead, and then has done nothing."""
        for (alike, _, (place, members)), shown in self._shown(pieces):
            found.digest = hash((found.digest, shown))
            unknown = []
            for i, stack in zip(members, alike.find(shown, len(members)), strict=True):
                if stack is None:
                    unknown.append(i)
                else:
                    stacks[i] = stack
            if unknown:
                found.unknown.append(Parked(place, unknown))
        found.pieces.append(pieces)

    def _shown(self, pieces: Pieces) -> Iterator[tuple[_Group, bytes]]:
        """Fetch pieces, and yield what identifies the stacks of each group. Raises BadRead."""
        content, end = self._fetched(pieces.size, pieces.starts), 0
        for group in pieces.groups:
            start, end = end, end + pieces.size * len(group.parked.members)
            yield group, group.alike.shown(content[start:end], pieces.size, group.at)

    def _fetched(self, size: int, starts: array[int]) -> memoryview:
        plan = self._plans.get(size)
        if plan is None:
            parts = [(0, size)] * min(_AT_ONCE, _AT_ONCE_BYTES // size)
            plan = self._plans[size] = self._memory.plan(parts)
        return plan.read_at(starts)


def _lots(groups: Iterable[_Group], most: int) -> Iterator[list[_Group]]:
    """The same with up to so many members together; a group may be divided."""
    lot: list[_Group] = []
    room = most
    for alike, at, (place, members) in groups:
        rest = members
        while rest:
            these, rest = rest[:room], rest[room:]
            lot.append(_Group(alike, at, Parked(place, these)))
            room -= len(these)
            if not room:
                yield lot
                lot, room = [], most
    if lot:
        yield lot
