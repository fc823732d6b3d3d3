"""Go's function table: from a name to its code, from a program counter to function, file and line.

Every Go program carries it, stripped or not, since the runtime needs it to walk stacks. It may hold half a million
functions, so it is looked up in place and never turned into Python lists. Two formats are in use: that of Go 1.18 and
1.19, and that of Go 1.20 and later. Source: runtime/symtab.go, cmd/link/internal/ld/pcln.go.
"""

from __future__ import annotations

import bisect
import struct
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple, TypeVar

from memdash.errors import BadRead, UnsupportedRuntime
from memdash.process.elf import AARCH64, Elf

__all__ = ["Function", "InlinedCall", "Pclntab", "Span"]

_HEADER = struct.Struct("<IBBBBQQQQQQQQ")
_SECTIONS = (".gopclntab", ".data.rel.ro.gopclntab")
_MOST_FUNCTIONS = 5_000_000
_FAR_FROM_RUNTIME = 4_000
"""So many functions after the last one of the runtime, no more of them follow: packages stand together."""
_LONGEST_NAME_BYTES = 1 << 16
_NO_TABLE = 0xFFFFFFFF
_NO_FILE = 0xFFFFFFFF
_PCDATA_INLINE_INDEX = 2
_FUNCDATA_INLINE_TREE = 3


class _Format(NamedTuple):
    """What differs between the two formats."""

    function: struct.Struct
    inlined_call: struct.Struct


_FORMATS = {
    0xFFFFFFF0: _Format(struct.Struct("<IiiIIIIIIBBxB"), struct.Struct("<xxB9xii")),
    0xFFFFFFF1: _Format(struct.Struct("<IiiIIIIII4xBBxB"), struct.Struct("<Bxxxii4x")),
}
"""By magic number: Go 1.18 and 1.19, Go 1.20 and later. An inlined call is (kind, name offset, parent pc)."""

_OUTERMOST = 1
"""abi.FuncFlagTopFrame: nothing called this function, a stack ends here."""

_T = TypeVar("_T")


class Span(NamedTuple):
    """The code of a function: offset from the start of the text, and bytes up to the next function."""

    offset: int
    size: int


class Function(NamedTuple):
    """One row of the table. Offsets are into the sub-tables; ``entry`` is relative to the start of the text.

    ``kind`` is its abi.FuncID; the values ``frame_sizes`` say how far above the stack pointer its return address is.
    ``inline_indexes`` is 0 and ``inline_tree`` None when nothing was inlined into it; the tree is an offset from
    ``moduledata.gofunc``.
    """

    entry: int
    name: int
    kind: int
    is_outermost: bool
    frame_sizes: int
    files: int
    lines: int
    unit: int
    inline_indexes: int
    inline_tree: int | None


class InlinedCall(NamedTuple):
    """A call that the compiler replaced by the callee's body: its kind and name, and where in the function it stood."""

    kind: int
    name: int
    parent_offset: int


class Pclntab:
    """The table of one executable. Program counters are relative to the start of the text throughout.

    The start of the text is not among what it says: since Go 1.26 the header's word for it is unused, and in a PIE it
    is 0 in the file. ``moduledata.text`` has it.
    """

    def __init__(self, address: int, content: memoryview) -> None:
        """``content`` starts with the header and may extend beyond the table. Raises UnsupportedRuntime, BadRead."""
        if len(content) < _HEADER.size:
            raise BadRead("the program's function table is cut short")
        magic, _, _, self._quantum, pointer_bytes, count, _, _, names, units, files, values, rows = _HEADER.unpack_from(
            content
        )
        if magic not in _FORMATS:
            raise UnsupportedRuntime("its function table is not in a format of Go 1.18 or later")
        if pointer_bytes != 8:
            raise UnsupportedRuntime("32-bit programs are not supported")
        if not (0 < count <= _MOST_FUNCTIONS and 0x48 <= names <= units <= files <= values <= rows < len(content)):
            raise BadRead("the header of the program's function table makes no sense")
        self.address = address
        self.count = count
        self.is_before_go_1_20 = magic == 0xFFFFFFF0
        self._format = _FORMATS[magic]
        self._names = content[names:units]
        self._units = content[units : files - (files - units) % 4].cast("I")
        self._files = content[files:values]
        self._values = content[values:rows]
        self._rows = content[rows:]
        self._words = self._rows[: len(self._rows) & ~3].cast("I")
        if len(self._words) < 2 * count + 1:
            raise BadRead("the program's function table is cut short")
        self._index = self._words[: 2 * count + 1]

    @classmethod
    def find(cls, elf: Elf) -> Pclntab | None:
        """The table of an executable; None when it has none, which is to say that it is not Go.

        A PIE linked by the system's linker keeps it somewhere inside ``.data.rel.ro`` up to Go 1.25, and a file
        without section headers keeps it anywhere: there it is searched for (6 ms for a program of 6 MB).
        """
        for name in _SECTIONS:
            section, content = elf.sections.get(name), elf.section_view(name)
            if section and content:
                return cls(section.address, content)
        for address in _magic_addresses(elf):
            try:
                return cls(address, elf.tail(address))
            except (BadRead, UnsupportedRuntime):
                continue
        return None

    def spans(self, names: Collection[str]) -> dict[str, Span]:
        """Where the code of these functions of the runtime stands; those that were not linked are left out.

        A function that assembly calls shares its name with a small wrapper; the larger of the two is meant.
        The runtime is linked early, so the scan ends soon: 3 ms also in a table of half a million.
        """
        return self._checked(lambda: self._find_spans({name.encode(): name for name in names}))

    def _find_spans(self, wanted: dict[bytes, str]) -> dict[str, Span]:
        index, words, names = self._index, self._words, self._names
        found: dict[str, Span] = {}
        seen_runtime_at = self.count
        for i in range(self.count):
            name_at = words[(index[2 * i + 1] >> 2) + 1]
            if names[name_at] in b"ri":  # runtime., internal/runtime/
                text = bytes(names[name_at : name_at + 96]).partition(b"\0")[0]
                if text.startswith((b"runtime.", b"internal/runtime/")):
                    seen_runtime_at = i
                    if text in wanted:
                        span = Span(index[2 * i], index[2 * i + 2] - index[2 * i])
                        known = found.setdefault(wanted[text], span)
                        if span.size > known.size:
                            found[wanted[text]] = span
                        if len(found) == len(wanted):
                            break
            elif i - seen_runtime_at > _FAR_FROM_RUNTIME:
                break
        return found

    def functions(self) -> Iterator[tuple[str, Span]]:
        """Every function and its code. Half a million take 2 s: for tools, not for attaching."""
        for i in range(self.count):
            start, row, end = self._index[2 * i : 2 * i + 3]
            yield self.name(self._words[(row >> 2) + 1]), Span(start, end - start)

    def function_at(self, offset: int) -> Function | None:
        """The function that holds a program counter; None outside the table. Raises BadRead."""
        index = self._index
        if not index[0] <= offset < index[2 * self.count]:
            return None
        i = bisect.bisect_right(range(self.count), offset, key=lambda k: index[2 * k]) - 1
        return self._checked(lambda: self._function(index[2 * i + 1]))

    def _function(self, row: int) -> Function:
        layout = self._format.function
        entry, name, _, _, sizes, files, lines, pcdata_count, unit, kind, flags, funcdata_count = layout.unpack_from(
            self._rows, row
        )
        pcdata_at = (row + layout.size) >> 2
        funcdata_at = pcdata_at + pcdata_count
        inline_indexes, inline_tree = 0, _NO_TABLE
        if pcdata_count > _PCDATA_INLINE_INDEX and funcdata_count > _FUNCDATA_INLINE_TREE:
            inline_indexes = self._words[pcdata_at + _PCDATA_INLINE_INDEX]
            inline_tree = self._words[funcdata_at + _FUNCDATA_INLINE_TREE]
        tree = None if inline_tree == _NO_TABLE or not inline_indexes else inline_tree
        return Function(entry, name, kind, bool(flags & _OUTERMOST), sizes, files, lines, unit, inline_indexes, tree)

    @property
    def inlined_call_bytes(self) -> int:
        """The size of one record of an inline tree."""
        return self._format.inlined_call.size

    def inlined_call(self, record: bytes) -> InlinedCall:
        """Read a record of an inline tree, which stands in the program's read-only data."""
        return InlinedCall(*self._format.inlined_call.unpack(record))

    def value(self, table: int, entry: int, offset: int) -> int:
        """What a table of values by program counter says for ``offset``; -1 when it says nothing. Raises BadRead."""
        return self._checked(lambda: self._value(table, entry, offset)) if table else -1

    def _value(self, at: int, entry: int, offset: int) -> int:
        values = self._values
        value, reached = -1, entry
        while True:
            change, at_next = _uvarint(values, at)
            if not change and reached != entry:
                return -1
            value += (change >> 1) ^ -(change & 1)
            distance, at = _uvarint(values, at_next)
            reached += distance * self._quantum
            if offset < reached:
                return value

    def name(self, at: int) -> str:
        """A function's name: the target's word, untrusted text. Raises BadRead."""
        return _text(self._names, at)

    def file(self, function: Function, number: int) -> str:
        """A source file by its number in the function's compilation unit; empty when unknown. Raises BadRead."""
        at = self._checked(lambda: self._units[function.unit + number])
        return "" if at == _NO_FILE else _text(self._files, at)

    @staticmethod
    def _checked(look_up: Callable[[], _T]) -> _T:
        try:
            return look_up()
        except (IndexError, struct.error):
            raise BadRead("the program's function table points outside itself") from None


def _magic_addresses(elf: Elf) -> Iterator[int]:
    quantum = 4 if elf.machine == AARCH64 else 1
    tail = bytes((0xFF, 0xFF, 0xFF, 0, 0, quantum, 8))
    relro = elf.sections.get(".data.rel.ro")
    for segment in elf.segments:
        if not segment.is_loaded:
            continue
        if elf.sections:
            if relro is None or not segment.offset <= relro.offset < segment.offset + segment.file_bytes:
                continue
            segment = segment._replace(offset=relro.offset, address=relro.address, file_bytes=relro.size)  # noqa: PLW2901 - narrowed
        for found in elf.search(tail, segment):
            if found > segment.address:
                yield found - 1


def _uvarint(table: memoryview, at: int) -> tuple[int, int]:
    byte = table[at]
    if byte < 0x80:
        return byte, at + 1
    result, shift = byte & 0x7F, 7
    while shift < 35:
        at += 1
        byte = table[at]
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at + 1
        shift += 7
    raise IndexError


def _text(table: memoryview, at: int) -> str:
    if not 0 <= at < len(table):
        raise BadRead("the program's function table points outside itself")
    for size in (128, _LONGEST_NAME_BYTES):
        text, end, _ = bytes(table[at : at + size]).partition(b"\0")
        if end:
            return text.decode(errors="backslashreplace")
    raise BadRead("a name in the program's function table does not end")
