"""tracemalloc's tables made by hand in this very process, as each minor lays them out."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence

from memdash.probes.cpython.hashtable import TableFormat, TableHead
from memdash.probes.cpython.layouts import load
from memdash.probes.cpython.tracing import Totals
from tests.probes.cpython.handmade import STR_TYPE, Exports, Here

__all__ = ["MadeTraces"]

_WORD = (1 << 64) - 1
_ROOM = 1 << 21


def rotated(address: int) -> int:
    return (address >> 4 | address << 60) & _WORD


class MadeTraces:
    """Traces by the address of their block; ``names_are_objects`` as up to 3.14. It stands in for a Tracing."""

    def __init__(self, minor: int, names_are_objects: bool = True, buckets: int = 2048) -> None:
        layout = load(minor)
        assert layout is not None
        self.layout = layout
        self.here = Here(layout, Exports({"PyUnicode_Type": STR_TYPE}))
        self.memory = ctypes.create_string_buffer(_ROOM)
        self._start = ctypes.addressof(self.memory)
        self._used = 64
        self._is_inline = layout.has("_Py_hashtable_t", "key_size")
        self._names_are_objects = names_are_objects
        self._names: dict[str, tuple[int, int]] = {}
        self.buckets = buckets
        self.entries = 0
        self.buckets_at = self._put(bytes(8 * buckets))
        self.table = self._put(bytes(layout.size("_Py_hashtable_t")))
        self._set_head()
        self.tables = TableFormat(self.here)  # type: ignore[arg-type]  # it uses no more of an Interpreter
        self.frames = 25

    def _put(self, content: bytes, alignment: int = 16) -> int:
        self._used += -self._used % alignment
        at = self._start + self._used
        self._used += len(content)
        assert self._used < _ROOM
        self._write(at, content)
        return at

    def _write(self, address: int, content: bytes) -> None:
        assert self._start <= address <= self._start + _ROOM - len(content)
        ctypes.memmove(address, content, len(content))

    def _set_head(self) -> None:
        members = self.layout.structs["_Py_hashtable_t"].offsets
        values = {"nentries": self.entries, "nbuckets": self.buckets, "buckets": self.buckets_at}
        values |= {"key_size": 8, "data_size": 16} if self._is_inline else {}
        for name, value in values.items():
            self._write(self.table + members[name], struct.pack("<Q", value))

    def name(self, text: str) -> tuple[int, int]:
        """A file's name: its address, and its hash."""
        if text not in self._names:
            if self._names_are_objects:
                hashed = hash(text) & _WORD
                state = 1 << self.layout.constants["PyASCIIObject.state.kind shift"] | 0x60
                head = struct.pack("<QQQQI", 1, STR_TYPE, len(text), hashed, state)
                at = self._put(head.ljust(self.layout.size("PyASCIIObject"), b"\0") + text.encode() + b"\0")
                self._names[text] = (at, hashed)
            else:
                at = self._put(text.encode() + b"\0", 1)
                self._names[text] = (at, rotated(at))
        return self._names[text]

    def traceback(self, frames: Sequence[tuple[str, int]], wrong: int = 0) -> int:
        """A traceback, innermost frame first; its hash is right unless ``wrong`` is added to it."""
        value, factor, body = 0x345678, 1000003, b""
        for left, (file, line) in zip(range(len(frames) - 1, -1, -1), frames, strict=True):
            at, hashed = self.name(file)
            value, factor = (value ^ hashed ^ line) * factor & _WORD, factor + 82520 + 2 * left
            body += struct.pack("<QI", at, line)
        has_total = self.layout.has("tracemalloc_traceback", "total_nframe")
        value ^= len(frames) if has_total else 0
        told = value + 97531 + wrong & _WORD
        depths = struct.pack("<HH", len(frames), len(frames)) if has_total else struct.pack("<i", len(frames))
        head = struct.pack("<Q", told) + depths
        return self._put(head + body)

    def add(self, block: int, size: int, traceback: int) -> int:
        """A trace, at the head of its chain; returns where it stands."""
        hashed = rotated(block)
        bucket = self.buckets_at + 8 * (hashed & (self.buckets - 1))
        following = self.here.memory.u64(bucket)
        trace = struct.pack("<QQ", size, traceback)
        if self._is_inline:
            entry = self._put(struct.pack("<QQQ", following, hashed, block) + trace)
            at = entry + 24
        else:
            at = self._put(trace)
            entry = self._put(struct.pack("<QQQQ", following, hashed, block, at))
        self._write(bucket, struct.pack("<Q", entry))
        self.entries += 1
        self._set_head()
        return at

    def change(self, address: int, content: bytes) -> None:
        """Write over anything."""
        self._write(address, content)

    def corrupt(self, at: int, byte: int) -> None:
        """Write one byte over another, somewhere in all that was made."""
        self._write(self._start + at % self._used, bytes([byte]))

    def restore(self, content: bytes) -> None:
        """Put everything back."""
        self._write(self._start, content)

    def heads(self) -> dict[int, TableHead]:
        return {self.table: self.tables.head(self.table)}

    def depth(self) -> int:
        return self.frames

    def totals(self) -> Totals:
        return Totals(0, 0)
