"""A Python's memory made by hand in this very process: types, their names, and one arena of pools full of blocks."""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from memdash.model.objects import Objects
from memdash.probes.cpython.census import Census
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.layouts import Layout, load
from memdash.probes.cpython.types import Types
from memdash.process.memory import ProcessMemory

__all__ = ["COLLECTED", "HEAP", "METACLASS", "READY", "STR", "STR_TYPE", "Block", "Exports", "Here", "World", "counted"]

HEAP, READY, COLLECTED, STR, METACLASS = 1 << 9, 1 << 12, 1 << 14, 1 << 28, 1 << 31
HEADER_BYTES = 48
STR_TYPE = 0x7F0000001000
"""Where str itself is, as far as its objects tell."""


@dataclass
class Block:
    """Words from its start on; ``free`` ones are in the pool's list of free blocks, which takes their first word."""

    words: Sequence[int] = ()
    free: bool = False


@dataclass
class Exports:
    """What a Binary tells of its symbols."""

    symbols: dict[str, int]

    def exported(self, name: str) -> int | None:
        return self.symbols.get(name)


@dataclass
class Here:
    """The parts of an Interpreter that are used, over this process's own memory."""

    layout: Layout
    binary: Exports
    memory: ProcessMemory = field(default_factory=lambda: ProcessMemory(os.getpid()))


class World:
    """``type``, ``dict`` and ``str``, and an arena to put pools into."""

    def __init__(self, minor: int) -> None:
        layout = load(minor)
        assert layout is not None
        self.layout = layout
        self.kept: list[ctypes.Array[ctypes.c_char]] = []
        self.exports = Exports({})
        self.interpreter = cast("Interpreter", Here(layout, self.exports))
        self.arena_bytes, self.pool_bytes = 1 << layout.constants["ARENA_BITS"], 1 << layout.constants["POOL_BITS"]
        self.arena = mmap.mmap(-1, 2 * self.arena_bytes)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.arena))
        self.first_pool = -(-start // self.pool_bytes) * self.pool_bytes
        self.offset, self.pools = self.first_pool - start, 0
        self.table = ctypes.create_string_buffer(16 * 48)
        self.variables = (ctypes.c_uint64 * 2)(ctypes.addressof(self.table), 16)
        self.type = self.a_type("type", READY | METACLASS | COLLECTED, 400)
        self._write(self.type, layout.offset("PyTypeObject", "ob_type"), self.type)
        self.dict = self.a_type("dict", READY | COLLECTED, 48)
        self.str = self.a_type("str", READY | STR, 80)
        self.exports.symbols |= {"PyType_Type": self.type, "PyDict_Type": self.dict, "PyUnicode_Type": self.str}

    def bytes(self, content: bytes) -> int:
        """The address of a copy that stays."""
        # Types are aligned; ctypes aligns to 16 from 16 bytes on.
        held = ctypes.create_string_buffer(content, max(len(content), 64))
        self.kept.append(held)
        return ctypes.addressof(held)

    def a_type(self, name: str, flags: int, basic_bytes: int, metatype: int | None = None) -> int:
        content = bytearray(self.layout.size("PyHeapTypeObject"))
        members = {
            "ob_type": getattr(self, "type", 0) if metatype is None else metatype,
            "tp_name": self.bytes(name.encode() + b"\0"),
            "tp_basicsize": basic_bytes,
            "tp_flags": flags,
        }
        for member, value in members.items():
            struct.pack_into("<Q", content, self.layout.offset("PyTypeObject", member), value)
        return self.bytes(bytes(content))

    def a_str(self, text: str) -> int:
        state = 1 << self.layout.constants["PyASCIIObject.state.kind shift"]
        state |= 1 << self.layout.constants["PyASCIIObject.state.compact shift"]
        state |= 1 << self.layout.constants["PyASCIIObject.state.ascii shift"]
        head = bytearray(self.layout.size("PyASCIIObject"))
        struct.pack_into("<QQ", head, 0, 1, self.str)
        struct.pack_into("<q", head, self.layout.offset("PyASCIIObject", "length"), len(text))
        struct.pack_into("<I", head, self.layout.offset("PyASCIIObject", "state"), state)
        return self.bytes(bytes(head) + text.encode("ascii"))

    def a_class(self, module: str, qualified: str, flags: int = 0, basic_bytes: int = 16) -> int:
        """As a class statement makes one; its dict first has an entry that was taken out."""
        made = self.a_type(qualified.rpartition(".")[2], flags | HEAP | READY, basic_bytes)
        entries = [(0, 0), (self.a_str("__module__"), self.a_str(module))]
        general = "dk_kind" not in self.layout.structs["_dictkeysobject"].offsets
        keys = bytearray(self.layout.size("_dictkeysobject"))
        struct.pack_into("<Q", keys, self.layout.offset("_dictkeysobject", "dk_nentries"), len(entries))
        if general:
            struct.pack_into("<Q", keys, self.layout.offset("_dictkeysobject", "dk_size"), 8)
        else:
            keys[self.layout.offset("_dictkeysobject", "dk_log2_index_bytes")] = 3
            keys[self.layout.offset("_dictkeysobject", "dk_kind")] = 1 - self.layout.constants["DICT_KEYS_GENERAL"]
        keys += bytes(8)  # the indices
        for key, value in entries:
            keys += struct.pack("<QQQ", 0, key, value) if general else struct.pack("<QQ", key, value)
        dictionary = bytearray(self.layout.size("PyDictObject"))
        struct.pack_into("<Q", dictionary, self.layout.offset("PyDictObject", "ma_keys"), self.bytes(bytes(keys)))
        self._write(made, self.layout.offset("PyTypeObject", "tp_dict"), self.bytes(bytes(dictionary)))
        self._write(made, self.layout.offset("PyHeapTypeObject", "ht_qualname"), self.a_str(qualified))
        return made

    def _write(self, address: int, offset: int, value: int) -> None:
        ctypes.c_uint64.from_address(address + offset).value = value

    def rename(self, made: int, name: str) -> None:
        """Another C name, so another type, at the same place."""
        self._write(made, self.layout.offset("PyTypeObject", "tp_name"), self.bytes(name.encode() + b"\0"))
        self._write(made, self.layout.offset("PyHeapTypeObject", "ht_qualname"), self.a_str(name))

    def pool(self, block_bytes: int, blocks: Sequence[Block]) -> None:
        """The next pool of the arena, carved as far as there are blocks."""
        address, at = self.first_pool + self.pools * self.pool_bytes, self.offset + self.pools * self.pool_bytes
        free = 0
        for number, block in enumerate(blocks):
            start = at + HEADER_BYTES + number * block_bytes
            words = list(block.words)
            if block.free:
                words[:1] = [free]
                free = address + HEADER_BYTES + number * block_bytes
            self.arena[start : start + 8 * len(words)] = struct.pack(f"<{len(words)}Q", *words)
        live = sum(not block.free for block in blocks)
        carved = HEADER_BYTES + len(blocks) * block_bytes
        header = struct.pack(
            "<I4xQ16xIIII", live, free, 0, block_bytes // 16 - 1, carved, self.pool_bytes - block_bytes
        )
        self.arena[at : at + HEADER_BYTES] = header
        self.pools += 1
        total = self.arena_bytes // self.pool_bytes
        struct.pack_into(
            "<QQII",
            self.table,
            0,
            self.first_pool,
            self.first_pool + self.pools * self.pool_bytes,
            total - self.pools,
            total,
        )

    def census(self) -> Census:
        at = ctypes.addressof(self.variables)
        return Census(self.interpreter, at, at + 8, Types(self.interpreter))


def counted(census: Census) -> Objects:
    """One round to its end."""
    walk = census.walk()
    while True:
        try:
            assert 0 < next(walk) <= 1
        except StopIteration as end:
            found: Objects = end.value
            return found
