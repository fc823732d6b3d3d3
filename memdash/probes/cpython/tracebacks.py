"""The tracebacks that tracemalloc has interned: once each, however many blocks were allocated there.

Each carries the hash of its own content, so that one that holds is told from what has been freed, is being written, or
never was one. Source: Modules/_tracemalloc.c, from 3.12 on Python/tracemalloc.c (traceback_hash). Up to 3.14 a file's
name is a str and hashed as such; in 3.15 it is a C string of tracemalloc's own, hashed by its address.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Collection, Iterator
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.text import Text, read_c_string
from memdash.process.memory import ReadPlan
from memdash.process.scatter import Scatter

__all__ = ["Place", "Tracebacks"]

_SEED, _MULTIPLIER, _STEP, _END = 0x345678, 1000003, 82520, 97531
_WORD = (1 << 64) - 1
_ROTATED_BITS = 4
_FRAME = struct.Struct("<QI")
_MOST_FRAMES = (1 << 16) - 1
_MOST_SHOWN = 128
"""Innermost frames of a traceback that are kept; who asks for more asks for the way to the event loop and back."""

_MOST_FILES = 1 << 14
_MOST_KEPT = 1 << 17
_AT_ONCE = 256
_MOST_TOGETHER = 32


class Place(NamedTuple):
    """A line of a file, as the target names it; 0 when it does not know the line."""

    file: str
    line: int


class _File(NamedTuple):
    """``shown`` are the bytes at ``shown_at`` that say that it is still this one."""

    hashed: int
    name: str
    shown_at: int
    shown: bytes


class Tracebacks:
    """Reads them by address and remembers them for as long as they are what they were."""

    def __init__(self, interpreter: Interpreter) -> None:
        layout = interpreter.layout
        self._memory = interpreter.memory
        self._text = Text(interpreter)
        self._hash_at = layout.offset("PyASCIIObject", "hash")
        self._has_total = layout.has("tracemalloc_traceback", "total_nframe")
        self._head = struct.Struct("<QHH" if self._has_total else "<Qi")
        self._frames_at = layout.constants["offsetof(tracemalloc_traceback, frames)"]
        self._heads = Scatter(self._memory, self._head.size)
        self._files: dict[int, _File] = {}
        self._plan: ReadPlan | None = None
        self._stacks: dict[int, tuple[bytes, tuple[Place, ...]]] = {}
        self._places: dict[Place, Place] = {}

    def stack(self, address: int) -> tuple[Place, ...] | None:
        """What was learnt last of the traceback at ``address``, innermost first; None when it is none."""
        known = self._stacks.get(address)
        return None if known is None else known[1]

    def learn(self, addresses: Collection[int], depth: int = _MOST_FRAMES) -> Iterator[None]:
        """Read those that are new, or no longer what they were, some at a time.

        One that is no traceback, or one of more than ``depth`` frames, is forgotten. Raises AccessDenied, TargetExited.
        """
        if len(self._stacks) > _MOST_KEPT or len(self._files) > _MOST_FILES or not self._files_hold():
            self._forget()
        yield from self._read_all(self._unread(addresses), depth)

    def _unread(self, addresses: Collection[int]) -> array[int]:
        """Those that are not known, or whose heads have changed."""
        found, size = array("Q"), self._head.size
        for places, content in self._heads.read(array("Q", addresses)):
            heads = bytes(content)
            for number, address in enumerate(places):
                known = self._stacks.get(address)
                if known is None or known[0] != heads[size * number : size * (number + 1)]:
                    found.append(address)
        return found

    def _read_all(self, addresses: array[int], depth: int) -> Iterator[None]:
        """Read whole records, as long as most are; the few that are longer, or end where memory does, by themselves."""
        together = Scatter(self._memory, self._frames_at + _FRAME.size * min(depth, _MOST_TOGETHER))
        alone = set(addresses)
        for first in range(0, len(addresses), _AT_ONCE):
            for places, content in together.read(addresses[first : first + _AT_ONCE]):
                records = bytes(content)
                for number, address in enumerate(places):
                    self._take(address, records[together.size * number : together.size * (number + 1)], depth)
                alone.difference_update(places)
            yield
        for address in alone:
            try:
                self._take(address, self._memory.read(address, self._frames_at), depth)
            except BadRead:
                self._stacks.pop(address, None)

    def _take(self, address: int, record: bytes, depth: int) -> None:
        self._stacks.pop(address, None)
        try:
            stack = self._parsed(address, record, depth)
        except BadRead:
            return
        if stack is not None:
            self._stacks[address] = (record[: self._head.size], stack)

    def _forget(self) -> None:
        self._files, self._stacks, self._places, self._plan = {}, {}, {}, None

    def _files_hold(self) -> bool:
        """Whether every name stands where it stood: tracemalloc.clear_traces frees them."""
        if self._plan is None:
            self._plan = self._memory.plan([(file.shown_at, len(file.shown)) for file in self._files.values()])
        try:
            return self._plan.read() == b"".join(file.shown for file in self._files.values())
        except BadRead:
            return False

    def _parsed(self, address: int, record: bytes, most: int) -> tuple[Place, ...] | None:
        """Its places, if its hash is theirs; what the record lacks is read. Raises BadRead."""
        told, depth, *total = self._head.unpack_from(record)
        if not 0 < depth <= min(most, _MOST_FRAMES):
            return None
        content = record[self._frames_at : self._frames_at + _FRAME.size * depth]
        if len(content) < _FRAME.size * depth:
            content = self._memory.read(address + self._frames_at, _FRAME.size * depth)
        frames = list(_FRAME.iter_unpack(content))
        files = {name_at: self._files.get(name_at) or self._file(name_at) for name_at, _ in frames}
        value, factor = _SEED, _MULTIPLIER
        for left, (name_at, line) in zip(range(depth - 1, -1, -1), frames, strict=True):
            value = (value ^ files[name_at].hashed ^ line) * factor & _WORD
            factor += _STEP + 2 * left
        if total:
            value ^= total[0]
        if (value + _END) & _WORD != told:
            return None
        if not files.keys() <= self._files.keys():
            self._files |= files
            self._plan = None
        places = [Place(files[name_at].name, line) for name_at, line in frames[:_MOST_SHOWN]]
        return tuple([self._places.setdefault(place, place) for place in places])

    def _file(self, address: int) -> _File:
        """Raises BadRead when there is neither a str nor a C string."""
        try:
            name, shown_at = self._text.read(address), address + self._hash_at
            shown = self._memory.read(shown_at, 8)
            return _File(int.from_bytes(shown, "little"), name, shown_at, shown)
        except BadRead:
            shown = read_c_string(self._memory, address)
            hashed = (address >> _ROTATED_BITS | address << 64 - _ROTATED_BITS) & _WORD
            return _File(hashed, shown.decode("utf-8", "backslashreplace"), address, shown + b"\0")
