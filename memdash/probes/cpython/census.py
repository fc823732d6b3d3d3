"""Live objects by type, counted by walking the pools of the small-object allocator piece by piece.

A block holds an object when one of three words of it points to a type that keeps its instances that way, and the word
before it is a reference count. So an object that is gone and waits to be used again is none. A freed block is left out
by the list of free blocks: a tuple that was made too long at first leaves one behind that still looks alive. All else
is unknown: tables of dicts, arrays of lists, buffers. Source: Objects/obmalloc.c, Include/object.h.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Generator, Iterable
from itertools import repeat

from memdash.errors import BadRead
from memdash.model.objects import Objects, TypeCount
from memdash.probes.cpython.arenas import Arena, list_arenas
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.pymalloc import ALIGNMENT_BYTES, SIZE_CLASSES
from memdash.probes.cpython.types import HOMES, Types

__all__ = ["Census"]

_PIECE_BYTES = 1 << 17
"""So much is read at once: 1 to 3 ms of work, in which other threads run whenever they want to."""

_WORD_BYTES = 8
_HEADER_WORDS = 6
"""struct pool_header, in words of 64 bits."""

_COUNT_END = 1 << 20
"""Reference counts are below. What is above may be an address: a program that is not position-independent has low ones,
such as that of None. So the few objects that are referred to so often have no type here."""

_NO_COUNT = -1
_TYPES_FROM, _TYPES_TO, _TYPE_ALIGNMENT = 1 << 20, 1 << 47, 8


class Census:
    """Counts again and again. 0.3 µs a block; holds less than 1 MiB while it works."""

    def __init__(self, interpreter: Interpreter, arenas_at: int, length_at: int, types: Types) -> None:
        self._interpreter = interpreter
        self._arenas_at, self._length_at = arenas_at, length_at
        self._types = types
        self._pool_bytes = 1 << interpreter.layout.constants["POOL_BITS"]
        self._plan = interpreter.memory.plan([(0, self._pool_bytes)] * (_PIECE_BYTES // self._pool_bytes))
        self._homes = types.homes
        self._immortal = interpreter.layout.constants.get("immortal ob_refcnt", _NO_COUNT)
        """The count of what is never freed, such as the names in a program's code; above the others from 3.12 on."""

    def walk(self) -> Generator[float, None, Objects]:
        """Count once: yields after each piece what share has been walked, returns what was found.

        Raises BadRead, AccessDenied, TargetExited. Arenas that come meanwhile are not looked into; those that go are
        left out.
        """
        arenas = list_arenas(self._interpreter, self._arenas_at, self._length_at)
        self._types.renew()
        tally = _Tally()
        for number, arena in enumerate(arenas):
            pools = arena.pools(self._pool_bytes)
            for first in range(0, len(pools), len(self._plan.offsets) - 1):
                piece = pools[first : first + len(self._plan.offsets) - 1]
                self._count(arena, piece, tally)
                yield (number + (first + len(piece)) / len(pools)) / len(arenas)
        return tally.objects(self._types)

    def _count(self, arena: Arena, pools: range, tally: _Tally) -> None:
        """The pools of one piece. An arena may be given back just then."""
        words = array("Q")
        try:
            words.frombytes(self._plan.read_at(array("Q", pools)))
        except BadRead:
            return
        step = self._pool_bytes // _WORD_BYTES
        for start, address in zip(range(0, len(words), step), pools, strict=True):
            live, size_class = words[start] & 0xFFFFFFFF, words[start + 4] >> 32
            if live and size_class < SIZE_CLASSES and words[start + 4] & 0xFFFFFFFF == arena.index:
                tally.add(size_class, live, self._found(words, start, address, live, size_class))

    def _found(self, words: array[int], start: int, address: int, live: int, size_class: int) -> Iterable[int]:
        """The address of its type for each block of a pool; 0 where there is none."""
        wide = 2 * (size_class + 1)
        begin = start + _HEADER_WORDS
        carved_bytes = (words[start + 5] & 0xFFFFFFFF) - _HEADER_WORDS * _WORD_BYTES
        room = self._pool_bytes // _WORD_BYTES - _HEADER_WORDS
        blocks = max(min(carved_bytes // (_WORD_BYTES * wide), room // wide), 0)
        if live < blocks:
            self._blank_free(words, words[start + 1], address, begin, wide, blocks)
        end = begin + blocks * wide
        reach = begin + min(wide, self._homes[-1] + 1)
        columns = [words[at:end:wide] if at < reach else repeat(0) for at in range(begin, begin + HOMES[-1] + 1)]
        first, second, third = (self._types.known[home] for home in HOMES)
        seek, ever, most, low, top = self._seek, self._immortal, _COUNT_END, _TYPES_FROM, _TYPES_TO
        return [
            a if a in first and (0 < p < most or p == ever)
            else b if b in second and (0 < q < most or q == ever)
            else c if c in third and (0 < r < most or r == ever)
            else seek(p, a, q, b, r, c)
            if (low < a < top and (0 < p < most or p == ever))
            or (low < b < top and (0 < q < most or q == ever))
            or (low < c < top and (0 < r < most or r == ever))
            else 0
            for p, a, q, b, r, c in zip(*columns, strict=False)
        ]  # fmt: skip

    def _blank_free(self, words: array[int], free: int, pool: int, begin: int, wide: int, blocks: int) -> None:
        """Take away the reference counts of freed blocks. The list may change while it is read: it ends in any case."""
        homes = [home - 1 for home in self._homes if home < wide]
        block_bytes = _WORD_BYTES * wide
        for _ in range(blocks):
            number, rest = divmod(free - pool - _HEADER_WORDS * _WORD_BYTES, block_bytes)
            if rest or not 0 <= number < blocks:
                return  # its end is a 0
            at = begin + number * wide
            free = words[at]
            for home in homes:
                words[at + home] = 0

    def _seek(self, p: int, a: int, q: int, b: int, r: int, c: int) -> int:
        """The type of a block of which nothing is known, by its counts and pointers in turn; 0 when there is none."""
        for home, count, pointer in zip(HOMES, (p, q, r), (a, b, c), strict=True):
            is_count = 0 < count < _COUNT_END or count == self._immortal
            if is_count and _TYPES_FROM < pointer < _TYPES_TO and not pointer % _TYPE_ALIGNMENT:
                found = self._types.at(pointer)
                if found is not None and found.home == home:
                    return pointer
        return 0


class _Tally:
    """Blocks by size class: all that live, and those of each type."""

    def __init__(self) -> None:
        self._live = [0] * SIZE_CLASSES
        self._by_type = [Counter[int]() for _ in range(SIZE_CLASSES)]

    def add(self, size_class: int, live: int, types: Iterable[int]) -> None:
        """The blocks of one pool; those without a type are given as 0."""
        self._live[size_class] += live
        self._by_type[size_class].update(types)

    def objects(self, types: Types) -> Objects:
        """By type; a block too small for an object of its type is an unknown one."""
        known = {address: found for by_address in types.known.values() for address, found in by_address.items()}
        objects, held_bytes = Counter[int](), Counter[int]()
        unknown_bytes = 0
        for size_class, (live, by_type) in enumerate(zip(self._live, self._by_type, strict=True)):
            block_bytes = ALIGNMENT_BYTES * (size_class + 1)
            counted = 0
            for address, count in by_type.items():
                if address and block_bytes >= known[address].least_bytes:
                    objects[address] += count
                    held_bytes[address] += count * block_bytes
                    counted += count
            unknown_bytes += max(live - counted, 0) * block_bytes
        found = tuple(TypeCount(known[address].name, objects[address], held_bytes[address]) for address in objects)
        return Objects(found, unknown_bytes)
