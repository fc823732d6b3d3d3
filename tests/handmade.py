"""Executables and function tables made by hand, byte by byte, so that tests can bend every part of them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["ElfFile", "GoFunction", "pclntab"]

TEXT_ADDRESS = 0x401000
DATA_ADDRESS = 0x500000
_HEADER_BYTES, _PROGRAM_HEADER_BYTES = 64, 56
_PT_LOAD, _PT_NOTE = 1, 4


@dataclass
class ElfFile:
    """A 64-bit ELF file: one executable and one writable segment, sections, symbols and notes.

    ``sections`` are added behind what is loaded, as (content, flags); ``placed`` names pieces of the loaded segments as
    (address, size).
    """

    text: bytes = b"\xc3" * 64
    data: bytes = bytes(64)
    sections: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)
    placed: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    symbols: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)  # address, size, section number
    notes: Sequence[tuple[bytes, int, bytes]] = ()
    machine: int = 62
    has_sections: bool = True

    def to_bytes(self) -> bytes:
        body = bytearray(_HEADER_BYTES + 3 * _PROGRAM_HEADER_BYTES)

        def put(content: bytes) -> int:
            body.extend(bytes(-len(body) % 16))
            body.extend(content)
            return len(body) - len(content)

        text_at, data_at = put(self.text), put(self.data)
        notes = b"".join(
            struct.pack("<III", len(owner), len(content), kind) + _padded(owner) + _padded(content)
            for owner, kind, content in self.notes
        )
        notes_at = put(notes)
        segments = [
            (_PT_LOAD, 5, text_at, TEXT_ADDRESS, len(self.text)),
            (_PT_LOAD, 6, data_at, DATA_ADDRESS, len(self.data)),
            (_PT_NOTE, 4, notes_at, 0, len(notes)),
        ]
        for i, (kind, flags, offset, address, size) in enumerate(segments):
            struct.pack_into(
                "<IIQQQQQQ", body, _HEADER_BYTES + i * 56, kind, flags, offset, address, address, size, size + 32, 16
            )
        table_at, count = self._put_sections(put, {TEXT_ADDRESS: text_at, DATA_ADDRESS: data_at})
        struct.pack_into(
            "<4sBBB9xHHIQQQIHHHHHH",
            body, 0, b"\x7fELF", 2, 1, 1, 2, self.machine, 1, TEXT_ADDRESS,
            64, table_at, 0, 64, 56, 3, 64, count, count - 1 if count else 0,
        )  # fmt: skip
        return bytes(body)

    def _put_sections(self, put: Callable[[bytes], int], loaded: Mapping[int, int]) -> tuple[int, int]:
        if not self.has_sections:
            return 0, 0
        rows = [("", 0, 0, 0, 0, 0)]
        for name, (address, size) in self.placed.items():
            start = max(at for at in loaded if at <= address)
            rows.append((name, 1, 2, address, loaded[start] + address - start, size))
        for name, (content, flags) in self.sections.items():
            rows.append((name, 1, flags, 0, put(content), len(content)))
        if self.symbols:
            strings, table = b"\0", bytes(24)
            for name, (address, size, section) in self.symbols.items():
                table += struct.pack("<IBBHQQ", len(strings), 1, 0, section, address, size)
                strings += name.encode() + b"\0"
            rows += [(".symtab", 2, 0, 0, put(table), len(table)), (".strtab", 3, 0, 0, put(strings), len(strings))]
        names = "\0".join(row[0] for row in rows) + "\0.shstrtab\0"
        rows.append((".shstrtab", 3, 0, 0, put(names.encode()), len(names)))
        headers = b"".join(
            struct.pack("<IIQQQQIIQQ", names.index(name + "\0"), kind, flags, address, offset, size, 0, 0, 1, 0)
            for name, kind, flags, address, offset, size in rows
        )
        return put(headers), len(rows)


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 4)


@dataclass
class GoFunction:
    """A function of a handmade table: ``lines`` are (line, bytes of code) runs, ``inlined`` (first, last, name) ranges.

    All its code is in ``file``. An inlined call's parent position is the function's start. Its return address stands
    ``frame_bytes`` above the stack pointer throughout, None for nobody knows where.
    """

    name: str
    size: int = 32
    file: str = "main.go"
    lines: Sequence[tuple[int, int]] = ()
    inlined: Sequence[tuple[int, int, str]] = ()
    frame_bytes: int | None = None
    kind: int = 0
    is_outermost: bool = False


def pclntab(functions: Sequence[GoFunction], *, is_1_20: bool = True) -> tuple[bytes, bytes]:
    """The table of these functions, one after the other from the start of the text, and their inline trees."""
    names, files, units, values, rows, trees = bytearray(), bytearray(), bytearray(), bytearray(b"\0"), bytearray(), b""

    def name_of(text: str) -> int:
        names.extend(text.encode() + b"\0")
        return len(names) - len(text.encode()) - 1

    def table_of(runs: Sequence[tuple[int, int]]) -> int:
        start, value = len(values), -1
        for new, size in runs:
            change = new - value
            values.extend(_uvarint(change << 1 if change >= 0 else (-change << 1) - 1) + _uvarint(size))
            value = new
        values.append(0)
        return start

    index_bytes = 8 * len(functions) + 4
    index, entry = bytearray(), 0
    for function in functions:
        unit = len(units) // 4
        units += struct.pack("<I", len(files))
        files += function.file.encode() + b"\0"
        inline_table, tree_at = 0, 0xFFFFFFFF
        if function.inlined:
            runs, at = [], 0
            tree_at = len(trees)
            for number, (first, last, name) in enumerate(function.inlined):
                runs += [(-1, first - at)] if first > at else []
                runs.append((number, last - first))
                at = last
                called = name_of(name)
                trees += struct.pack(
                    "<iiii" if is_1_20 else "<iiiii", *((0, called, 0, 1) if is_1_20 else (0, 0, 0, called, 0))
                )
            inline_table = table_of([*runs, (-1, max(function.size - at, 1))])
        index += struct.pack("<II", entry, index_bytes + len(rows))
        rows += struct.pack(
            "<IiiIIIIII", entry, name_of(function.name), 0, 0,
            0 if function.frame_bytes is None else table_of([(function.frame_bytes, function.size)]),
            table_of([(0, function.size)]), table_of(function.lines or [(1, function.size)]), 3, unit,
        )  # fmt: skip
        rows += struct.pack("<i", 1) if is_1_20 else b""
        rows += struct.pack("<BBBB", function.kind, function.is_outermost, 0, 4)
        rows += struct.pack("<3I", 0, 0, inline_table) + struct.pack("<4I", *[0xFFFFFFFF] * 3, tree_at)
        entry += function.size
    index += struct.pack("<I", entry)
    parts = [bytes(names), bytes(units), bytes(files), bytes(values), bytes(index + rows)]
    parts = [part + bytes(-len(part) % 8) for part in parts]
    starts = [0x48]
    for part in parts[:-1]:
        starts.append(starts[-1] + len(part))
    magic = 0xFFFFFFF1 if is_1_20 else 0xFFFFFFF0
    header = struct.pack("<IBBBBQQQ", magic, 0, 0, 1, 8, len(functions), len(functions), 0) + struct.pack(
        "<5Q", *starts
    )
    return header + b"".join(parts), trees


def _uvarint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
