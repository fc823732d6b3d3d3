"""What tracemalloc holds: bytes and blocks by stack, read in parts of a bounded size.

The tables are read while the program changes them; nothing is locked and nobody waits. A table that was rehashed
meanwhile is read again from the start; an entry that is in the middle of a change leads to no traceback and is left
out. Source: Modules/_tracemalloc.c, from 3.12 on Python/tracemalloc.c (trace_t, tracemalloc_traces).
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.probes.cpython.hashtable import Entries, TableHead
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.tracebacks import Place, Tracebacks
from memdash.probes.cpython.tracing import Totals, Tracing
from memdash.process.scatter import Scatter

__all__ = ["PART_TRACES", "Look", "TraceReader"]

PART_TRACES = 50_000
"""So many traces are read at a time, for some 60 ms of CPU time; when there are more, in parts, one a look."""

_TRACE_BYTES = 16
"""trace_t: the size of the block and the address of its traceback."""

_PAUSES_S = (0.0, 0.001, 0.005, 0.02, 0.05, 0.1)
"""Before a table that was moved is read again: the kernel may have stopped the program in the middle of the move."""

_MOST_ROWS = 1 << 17
"""Tracebacks, each counted once for every part it is in, that are remembered between looks."""

_KEY_BYTES = (8, 12)
_DOUBTFUL_BYTES = 1024
"""From here on a size is read twice: where a trace has just been freed it is a large number of the allocator's own."""

_MOVED = "tracemalloc's tables are being moved"
_COMPLETE = 0.8
"""Of the entries that a table says it has, so many have to be there: some are always about to come or to go."""

_FEW = 64
_TRUSTED = 0.5
"""Of what a look finds, so much has to hold, else the tables are not what they are taken for; races spoil less."""


@dataclass(frozen=True, slots=True)
class Look:
    """Bytes and blocks by stack, innermost place first.

    They are the sum over the parts as each was read last. While fewer than all ``parts`` have been ``parts_read``, it
    is scaled up.
    """

    held: Mapping[tuple[Place, ...], tuple[int, int]]
    parts: int
    parts_read: int
    totals: Totals


class _Part(NamedTuple):
    blocks: Counter[int]
    held_bytes: Counter[int]


class TraceReader:
    """Looks again and again, at the next part each time, and remembers the others, and the tracebacks."""

    def __init__(self, interpreter: Interpreter, tracing: Tracing) -> None:
        self._tracing = tracing
        self._traces, self._again = (Scatter(interpreter.memory, _TRACE_BYTES) for _ in range(2))
        self._tracebacks = Tracebacks(interpreter)
        self._heads: dict[int, TableHead] = {}
        self.divisions = 0
        self._parts = 1
        self._next = 0
        self._read: dict[int, _Part] = {}
        self._sum = _Part(Counter(), Counter())

    def look(self) -> Generator[None, None, Look]:
        """Look once; yields every few milliseconds, so that whoever drives it may go on later.

        Raises LayoutRefused when the tables cannot be located, BadRead when they are not laid out as expected, change
        too fast or are gone, AccessDenied, TargetExited.
        """
        yield from self._read_next()
        yield from self._tracebacks.learn(self._sum.blocks, self._tracing.depth())
        return Look(self._by_stack(), self._parts, len(self._read), self._tracing.totals())

    def _read_next(self) -> Generator[None]:
        for pause_s in (*_PAUSES_S, None):
            try:
                heads = self._tracing.heads()
                self._divide(heads)
                self._take((yield from self._count(heads)))
            except BadRead:
                if pause_s is None:
                    raise
                time.sleep(pause_s)
            else:
                return

    def _divide(self, heads: dict[int, TableHead]) -> None:
        """Begin anew with other tables, and when the parts have become too large; ``divisions`` counts how often."""
        traces = sum(head.entries for head in heads.values())
        if _are_same(self._heads, heads) and traces <= 2 * PART_TRACES * self._parts:
            return
        self.divisions += 1
        self._heads, self._next, self._read = heads, 0, {}
        self._parts = max(-(-traces // PART_TRACES), 1)
        self._sum = _Part(Counter(), Counter())

    def _count(self, heads: dict[int, TableHead]) -> Generator[None, None, _Part]:
        part = _Part(Counter(), Counter())
        tables, fewest = self._tracing.tables, 0
        for address, head in heads.items():
            if head.key_bytes not in _KEY_BYTES:
                raise BadRead("tracemalloc's traces have keys that are no addresses")
            seen = [head.entries]
            for entries in tables.pieces(head, self._parts, self._next):
                seen.append(self._entries_of_same(address, head))
                self._add(head, entries, part)
                yield
            seen.append(self._entries_of_same(address, head))
            fewest += min(seen)  # a program that frees much at once is another matter than a table that is moved
        if part.blocks.total() < _COMPLETE * fewest / self._parts - _FEW:
            raise BadRead(_MOVED)  # while a table is moved, a part of it is in neither place
        return part

    def _entries_of_same(self, address: int, head: TableHead) -> int:
        """How many the table has now. Raises BadRead where it has been moved."""
        now = self._tracing.tables.head(address)
        if not head.is_same(now):
            raise BadRead(_MOVED)
        return now.entries

    def _add(self, head: TableHead, entries: Entries, part: _Part) -> None:
        blocks, held_bytes = part
        for places, content in self._traces.read(array("Q", filter(None, entries.values))):
            words = content.cast("Q")
            sizes, tracebacks = words[0::2].tolist(), words[1::2].tolist()
            doubtful = {
                place: (size, traceback)
                for place, size, traceback in zip(places, sizes, tracebacks, strict=True)
                if size >= _DOUBTFUL_BYTES
            }
            if doubtful and (gone := doubtful.keys() - self._confirmed(head, entries, doubtful)):
                kept = [number for number, place in enumerate(places) if place not in gone]
                sizes, tracebacks = [sizes[number] for number in kept], [tracebacks[number] for number in kept]
            blocks.update(tracebacks)
            for traceback, size in zip(tracebacks, sizes, strict=True):
                held_bytes[traceback] += size

    def _confirmed(self, head: TableHead, entries: Entries, read: Mapping[int, tuple[int, int]]) -> set[int]:
        """Those of the traces that are still in the table, and what they were."""
        reachable = self._tracing.tables.reachable(head, entries, read)
        found = set[int]()
        for places, content in self._again.read(array("Q", reachable)):
            words = content.cast("Q")
            now = zip(words[0::2].tolist(), words[1::2].tolist(), strict=True)
            found.update(place for place, trace in zip(places, now, strict=True) if trace == read[place])
        return found

    def _take(self, part: _Part) -> None:
        """Put the part in the place of what it was when it was read before."""
        before = self._read.pop(self._next, None)
        self._read[self._next] = part
        self._next = (self._next + 1) % self._parts
        self._change(part, before)
        while len(self._read) > 1 and sum(len(kept.blocks) for kept in self._read.values()) > _MOST_ROWS:
            self._change(None, self._read.pop(next(iter(self._read))))

    def _change(self, new: _Part | None, old: _Part | None) -> None:
        for number, counted in enumerate(self._sum):
            if new is not None:
                counted.update(new[number])
            if old is not None:
                counted.subtract(old[number])
        for address in () if old is None else old.blocks:
            if not self._sum.blocks[address]:
                del self._sum.blocks[address], self._sum.held_bytes[address]

    def _by_stack(self) -> dict[tuple[Place, ...], tuple[int, int]]:
        """Two tracebacks that differ only in frames that are not kept become one."""
        held: dict[tuple[Place, ...], tuple[int, int]] = {}
        parts, parts_read, lost = self._parts, len(self._read), 0
        for address, blocks in self._sum.blocks.items():
            stack = self._tracebacks.stack(address)
            if stack is None:
                lost += blocks
                continue
            held_bytes, held_blocks = held.get(stack, (0, 0))
            new_bytes = self._sum.held_bytes[address] * parts // parts_read
            held[stack] = (held_bytes + new_bytes, held_blocks + blocks * parts // parts_read)
        if lost > (1 - _TRUSTED) * self._sum.blocks.total() + _FEW:
            self._heads = {}
            raise BadRead("tracemalloc's traces do not lead to tracebacks")
        return held


def _are_same(before: Mapping[int, TableHead], later: Mapping[int, TableHead]) -> bool:
    return before.keys() == later.keys() and all(head.is_same(later[table]) for table, head in before.items())
