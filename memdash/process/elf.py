"""An executable on disk: its headers, sections, segments, symbols and notes, without ever reading all of it.

The file is mapped, so a 700 MB program costs no more than the pages that are looked at. What a running program's file
holds is its author's to choose: every offset is checked, and a file that does not add up raises BadRead.

Source: the ELF-64 object file format, and elf(5).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Self

from memdash.errors import AccessDenied, BadRead, TargetExited, UnsupportedRuntime

__all__ = ["AARCH64", "X86_64", "Elf", "Note", "Section", "Segment", "Symbol"]

X86_64 = 62
AARCH64 = 183

_HEADER = struct.Struct("<4sBBB9xHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_NOTE = struct.Struct("<III")
_COMPRESSION = struct.Struct("<IIQQ")

_PT_LOAD, _PT_NOTE = 1, 4
_SHT_NOTE = 7
_SHT_NOBITS = 8
_SHF_COMPRESSED = 0x800
_ELFCOMPRESS_ZLIB = 1
_LARGEST_INFLATED_BYTES = 1 << 30
_NO_SECTION = 0


class Segment(NamedTuple):
    """A piece of the file as it is loaded: ``file_bytes`` from ``offset`` stand at ``address``, zeros follow."""

    kind: int
    flags: int
    offset: int
    address: int
    file_bytes: int
    memory_bytes: int

    @property
    def is_loaded(self) -> bool:
        """It becomes memory."""
        return self.kind == _PT_LOAD

    @property
    def is_writable(self) -> bool:
        """It holds variables."""
        return bool(self.flags & 2)


class Section(NamedTuple):
    """A named piece of the file; ``address`` is 0 when it is not loaded. ``size`` is what the file says, in bytes."""

    name: str
    kind: int
    flags: int
    address: int
    offset: int
    size: int


class Symbol(NamedTuple):
    """Where a symbol stands before relocation, and how many bytes it has."""

    address: int
    size: int


class Note(NamedTuple):
    """A note of the linker: who wrote it (``Go``, ``GNU``), its kind by that writer's count, its content."""

    owner: bytes
    kind: int
    content: bytes


class Elf:
    """One 64-bit little-endian ELF file, mapped read-only.

    ``segments`` and ``sections`` (by name; none in a file without section headers) are as the file states them. Mapping
    is safe while a process runs from the file, since the kernel forbids to write to or truncate it then.
    """

    machine: int
    entry_address: int
    segments: tuple[Segment, ...]
    sections: Mapping[str, Section]

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Map ``path`` and read its headers. Raises UnsupportedRuntime, BadRead, AccessDenied, TargetExited."""
        self._map = _mapped(path)
        self._bytes = memoryview(self._map)
        try:
            self._read_headers()
        except BaseException:
            self.close()
            raise

    def _read_headers(self) -> None:
        if len(self._map) < _HEADER.size or self._map[:4] != b"\x7fELF":
            raise UnsupportedRuntime("not an ELF program")
        (_, bits, order, _, _, self.machine, _, self.entry_address, program_offset, section_offset, *rest) = (
            _HEADER.unpack_from(self._map)
        )
        _, _, program_size, program_count, section_size, section_count, names_index = rest
        if bits != 2:
            raise UnsupportedRuntime("32-bit programs are not supported")
        if order != 1:
            raise UnsupportedRuntime("big-endian programs are not supported")
        if program_count and program_size != _PROGRAM_HEADER.size:
            raise BadRead(f"the executable's program headers are {program_size} bytes each, not 56")
        headers = self._file(program_offset, program_count * _PROGRAM_HEADER.size)
        self.segments = tuple(
            Segment(kind, flags, offset, address, file_bytes, memory_bytes)
            for kind, flags, offset, address, _, file_bytes, memory_bytes, _ in _PROGRAM_HEADER.iter_unpack(headers)
        )
        self._loaded = tuple(segment for segment in self.segments if segment.is_loaded)
        self.sections = (
            self._section_table(section_offset, section_count, names_index)
            if section_size == _SECTION_HEADER.size
            else {}
        )

    def _section_table(self, offset: int, count: int, names_index: int) -> Mapping[str, Section]:
        """Sections by name. A packer may cut the table off or leave rubbish: then there are no sections."""
        try:
            headers = list(_SECTION_HEADER.iter_unpack(self._file(offset, count * _SECTION_HEADER.size)))
            if names_index >= len(headers):
                return {}
            names = bytes(self._file(headers[names_index][4], headers[names_index][5]))
        except BadRead:
            return {}
        sections: dict[str, Section] = {}
        for name_at, kind, flags, address, at, size, *_ in headers:
            name = names[name_at : max(names.find(b"\0", name_at), name_at)].decode(errors="backslashreplace")
            sections.setdefault(name, Section(name, kind, flags, address, at, size))
        return sections

    def _file(self, offset: int, size: int) -> memoryview:
        """A piece of the file, not copied."""
        if size < 0 or offset < 0 or offset + size > len(self._map):
            raise BadRead(f"the executable is cut short: {size} bytes at {offset:#x} are beyond its end")
        return self._bytes[offset : offset + size]

    def view(self, address: int, size: int) -> memoryview:
        """``size`` bytes at a link-time address, not copied. Raises BadRead when the file does not hold them all."""
        for segment in self._loaded:
            if segment.address <= address and address + size <= segment.address + segment.file_bytes:
                return self._file(segment.offset + address - segment.address, size)
        raise BadRead(f"the executable holds no {size} bytes for address {address:#x}")

    def read(self, address: int, size: int) -> bytes:
        """``size`` bytes at a link-time address. Raises BadRead when the file does not hold them all."""
        return bytes(self.view(address, size))

    def tail(self, address: int) -> memoryview:
        """All that its segment's file bytes hold from a link-time address on, not copied."""
        for segment in self._loaded:
            skipped = address - segment.address
            if 0 <= skipped < segment.file_bytes:
                held = min(segment.file_bytes, len(self._map) - segment.offset)
                return self._file(segment.offset + skipped, held - skipped)
        raise BadRead(f"the executable holds nothing for address {address:#x}")

    def search(self, needle: bytes, segment: Segment) -> Iterator[int]:
        """Link-time addresses at which ``needle`` stands in the file bytes of a segment, lowest first."""
        end = min(segment.offset + segment.file_bytes, len(self._map))
        found = self._map.find(needle, min(segment.offset, end), end)
        while found >= 0:
            yield found - segment.offset + segment.address
            found = self._map.find(needle, found + 1, end)

    def section_view(self, name: str) -> memoryview | None:
        """A section as the file holds it, not copied; None when there is none of that name. Raises BadRead."""
        section = self.sections.get(name)
        if section is None or section.kind == _SHT_NOBITS:
            return None
        return self._file(section.offset, section.size)

    def section_bytes(self, name: str) -> bytes | None:
        """A section's content, inflated when it is compressed; None when there is none of that name. Raises BadRead."""
        held = self.section_view(name)
        if held is None:
            return None
        if not self.sections[name].flags & _SHF_COMPRESSED:
            return bytes(held)
        return _inflated(name, held)

    def symbols(self, names: Iterable[str]) -> dict[str, Symbol]:
        """The symbols of these names that ``.symtab`` defines; the others are left out. Raises BadRead.

        Neither table is copied or walked: names are searched for as bytes, and their offsets likewise. 20 names cost
        2 ms in a program of 4 MB.
        """
        return self._symbols(names, ".symtab", ".strtab")

    def dynamic_symbols(self, names: Iterable[str]) -> dict[str, Symbol]:
        """The same from ``.dynsym``, which a stripped file keeps: what it offers to others. Raises BadRead."""
        return self._symbols(names, ".dynsym", ".dynstr")

    def _symbols(self, names: Iterable[str], table_name: str, strings_name: str) -> dict[str, Symbol]:
        table, strings = self.sections.get(table_name), self.sections.get(strings_name)
        if table is None or strings is None:
            return {}
        self._file(table.offset, table.size)
        self._file(strings.offset, strings.size)
        found = {}
        for name in names:
            symbol = self._symbol(name, table, strings)
            if symbol is not None:
                found[name] = symbol
        return found

    def _symbol(self, name: str, table: Section, strings: Section) -> Symbol | None:
        """Linkers keep ``arenas`` as the tail of ``maxarenas``, so a name may begin anywhere, and not be one there."""
        needle, end = name.encode() + b"\0", strings.offset + strings.size
        at = self._map.find(needle, strings.offset, end)
        while at >= 0:
            symbol = self._symbol_named_at(at - strings.offset, table)
            if symbol is not None:
                return symbol
            at = self._map.find(needle, at + 1, end)
        return None

    def _symbol_named_at(self, text_at: int, table: Section) -> Symbol | None:
        needle = struct.pack("<I", text_at)
        end = table.offset + table.size
        at = self._map.find(needle, table.offset, end)
        while 0 <= at <= end - _SYMBOL.size:
            if (at - table.offset) % _SYMBOL.size == 0:
                _, _, _, section, address, size = _SYMBOL.unpack_from(self._map, at)
                if section != _NO_SECTION:
                    return Symbol(address, size)
            at = self._map.find(needle, at + 1, end)
        return None

    def notes(self) -> Iterator[Note]:
        """All notes: of the note segments, and of sections outside them, as Go's linker makes. Raises BadRead."""
        segments = [(held.offset, held.file_bytes) for held in self.segments if held.kind == _PT_NOTE]
        sections = [(held.offset, held.size) for held in self.sections.values() if held.kind == _SHT_NOTE]
        for offset, size in segments:
            yield from self._notes(offset, size)
        for offset, size in sections:
            if not any(begin <= offset < begin + length for begin, length in segments):
                yield from self._notes(offset, size)

    def _notes(self, at: int, size: int) -> Iterator[Note]:
        end = at + size
        while at + _NOTE.size <= end:
            owner_size, content_size, kind = _NOTE.unpack(self._file(at, _NOTE.size))
            at += _NOTE.size
            owner = bytes(self._file(at, owner_size)).rstrip(b"\0")
            at += _padded(owner_size)
            yield Note(owner, kind, bytes(self._file(at, content_size)))
            at += _padded(content_size)

    def rest(self) -> None:
        """Drop the pages looked at so far from our resident set; what is asked for again is mapped in again."""
        self._map.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Give the mapping back. May be called twice; a view that is still held keeps the mapping until it goes."""
        with contextlib.suppress(BufferError):
            self._bytes.release()
            self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _padded(size: int) -> int:
    return (size + 3) & ~3


def _mapped(path: str | os.PathLike[str]) -> mmap.mmap:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        raise AccessDenied(f"the executable {path} cannot be opened") from None
    except (FileNotFoundError, ProcessLookupError):
        raise TargetExited(f"the executable {path} is gone, and the process with it") from None
    except OSError as error:
        raise BadRead(f"the executable {path} cannot be opened: {error.strerror}") from None
    try:
        return mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
    except (OSError, ValueError) as error:
        raise BadRead(f"the executable {path} cannot be mapped: {error}") from None
    finally:
        os.close(descriptor)


def _inflated(name: str, held: memoryview) -> bytes:
    if len(held) < _COMPRESSION.size:
        raise BadRead(f"section {name} of the executable is cut short")
    method, _, size, _ = _COMPRESSION.unpack_from(held)
    if method != _ELFCOMPRESS_ZLIB or size > _LARGEST_INFLATED_BYTES:
        raise BadRead(f"section {name} of the executable is compressed in a way that is not supported")
    try:
        content = zlib.decompressobj().decompress(held[_COMPRESSION.size :], size + 1)
    except zlib.error as error:
        raise BadRead(f"section {name} of the executable does not inflate: {error}") from None
    if len(content) != size:
        raise BadRead(f"section {name} of the executable inflates to {len(content)} bytes, not {size}")
    return content
