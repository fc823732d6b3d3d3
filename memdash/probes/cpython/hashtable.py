"""Hash tables of the interpreter itself, which tracemalloc keeps its traces in: buckets, each with a chain of entries.

Read while the program changes them, so that a chain may break off and an entry may be gone: what they lead to has to
be checked by whoever reads it. Source: Include/internal/pycore_hashtable.h, Python/hashtable.c; for 3.8
Modules/hashtable.h, whose entries hold key and value themselves instead of pointing at the value.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.probes.cpython.interpreter import Interpreter
from memdash.process.scatter import Scatter

__all__ = ["RUN", "Entries", "TableFormat", "TableHead"]

RUN = 8
"""Buckets side by side that are read, or left out, together: one at a time would cost eight times the reads."""

_RUNS_AT_ONCE = 512
_LONGEST_CHAIN = 64
"""A table grows before two entries share a bucket on average; longer than this is a circle."""

_FEWEST_BUCKETS = 16
_SMALL_TABLE = 1 << 16
_MOST_BUCKETS_AN_ENTRY = 16
"""A table is made smaller when there are ten to each of its entries, and larger when there are less than two."""


class TableHead(NamedTuple):
    """What a table says of itself: it is another one once any of these but ``entries`` has changed."""

    entries: int
    buckets: int
    buckets_at: int
    key_bytes: int
    value_bytes: int

    def is_same(self, later: TableHead) -> bool:
        """Whether its entries still stand in the same buckets."""
        return self._replace(entries=0) == later._replace(entries=0)


class Entries(NamedTuple):
    """Some entries of a table: where they stand, what stands there, and the addresses of their values."""

    places: array[int]
    words: array[int]
    values: array[int]


class TableFormat:
    """Reads the tables of one interpreter. Everything raises BadRead, AccessDenied, TargetExited."""

    def __init__(self, interpreter: Interpreter) -> None:
        layout = interpreter.layout
        self._memory = interpreter.memory
        self._size = layout.size("_Py_hashtable_t")
        members = layout.structs["_Py_hashtable_t"].offsets
        self._head = struct.Struct(f"<{self._size // 8}Q")
        self._at = {name: offset // 8 for name, offset in members.items()}
        self._is_inline = "key_size" in members
        self._entry_bytes = layout.size("_Py_hashtable_entry_t")
        self._runs = Scatter(self._memory, 8 * RUN)
        self._links = Scatter(self._memory, 8)
        self._entries = Scatter(self._memory, self._entry_bytes + 8 * self._is_inline)

    def head(self, address: int) -> TableHead:
        """Look at the table at ``address``; what is none is refused."""
        words = self._head.unpack(self._memory.read(address, self._size))
        head = TableHead(
            words[self._at["nentries"]],
            words[self._at["nbuckets"]],
            words[self._at["buckets"]],
            words[self._at["key_size"]] if self._is_inline else 8,
            words[self._at["data_size"]] if self._is_inline else 8,
        )
        is_power = head.buckets & (head.buckets - 1) == 0
        fits = head.entries <= head.buckets <= _MOST_BUCKETS_AN_ENTRY * head.entries + _SMALL_TABLE
        if not is_power or not fits or head.buckets < _FEWEST_BUCKETS or not head.buckets_at:
            raise BadRead(f"there is no hash table at {address:#x}")
        return head

    def pieces(self, head: TableHead, parts: int = 1, part: int = 0) -> Iterator[Entries]:
        """The entries of one part of the table, some thousand at a time; all parts together are all entries.

        Runs of buckets are dealt out to the parts by chance, each part getting one of so many neighbours: any part,
        times their number, is an unbiased estimate of the whole. While the table is the same its parts are too.
        """
        for firsts in self._firsts(head, parts, part):
            yield from self._chains(firsts, head)

    def _firsts(self, head: TableHead, parts: int, part: int) -> Iterator[array[int]]:
        """The addresses of the entries that chains begin with."""
        runs, run_bytes = head.buckets // RUN, 8 * RUN
        if parts == 1:
            for first in range(0, runs, _RUNS_AT_ONCE):
                size = run_bytes * min(_RUNS_AT_ONCE, runs - first)
                buckets = array("Q", self._memory.read(head.buckets_at + run_bytes * first, size))
                yield array("Q", filter(None, buckets))
            return
        from random import Random  # 4 ms, wanted for large tables only

        dice = Random(head.buckets_at)
        for first in range(0, runs, parts * _RUNS_AT_ONCE):
            starts = range(first, min(first + parts * _RUNS_AT_ONCE, runs), parts)
            picks = dice.choices(range(parts), k=len(starts))
            numbers = [start + (pick + part) % parts for start, pick in zip(starts, picks, strict=True)]
            addresses = array("Q", [head.buckets_at + run_bytes * run for run in numbers if run < runs])
            found = array("Q")
            is_mapped = False
            for _, content in self._runs.read(addresses):
                found.extend(filter(None, content.cast("Q")))
                is_mapped = True
            if addresses and not is_mapped:
                raise BadRead("a hash table has lost its buckets")
            yield found

    def _chains(self, addresses: array[int], head: TableHead) -> Iterator[Entries]:
        width = self._entries.size // 8
        for _ in range(_LONGEST_CHAIN):
            following = array("Q")
            for places, content in self._entries.read(addresses):
                words = array("Q")
                words.frombytes(content)
                values = self._inside(places, head) if self._is_inline else words[3::width]
                yield Entries(places, words, values)
                following.extend(filter(None, words[0::width]))
            if not following:
                return
            addresses = following

    def reachable(self, head: TableHead, entries: Entries, values: Collection[int]) -> set[int]:
        """Those of the ``values`` whose entries stand in the table now, and with the key and value that were read.

        Of the others what was read may be anything: the allocator writes into what it is given back.
        """
        width = self._entries.size // 8
        numbers = {value: number for number, value in enumerate(entries.values)}
        wanted = {entries.places[numbers[value]]: value for value in values}
        hashes = [entries.words[width * numbers[value] + 1] for value in wanted.values()]
        links = array("Q", [head.buckets_at + 8 * (hashed & (head.buckets - 1)) for hashed in hashes])
        found: set[int] = set()
        for _ in range(_LONGEST_CHAIN):
            following = array("Q")
            for _, content in self._links.read(links):
                following.extend(filter(None, content.cast("Q")))
            found.update(wanted.keys() & set(following))
            if not following or len(found) == len(wanted):
                break
            links = following  # an entry begins with the link to the next
        return self._unchanged(entries, numbers, {place: wanted[place] for place in found})

    def _unchanged(self, entries: Entries, numbers: Mapping[int, int], wanted: Mapping[int, int]) -> set[int]:
        width, found = self._entries.size // 8, set[int]()
        for places, content in self._entries.read(array("Q", wanted)):
            words = array("Q")
            words.frombytes(content)
            for number, place in enumerate(places):
                first = width * numbers[wanted[place]]
                before = entries.words[first + 1 : first + width]
                if words[width * number + 1 : width * (number + 1)] == before:
                    found.add(wanted[place])
        return found

    def _inside(self, entries: array[int], head: TableHead) -> array[int]:
        behind = self._entry_bytes + head.key_bytes
        return array("Q", [entry + behind for entry in entries])
