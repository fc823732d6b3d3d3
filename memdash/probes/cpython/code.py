"""Code objects: what the function at a place in a stack is called, in which file it is, and at which line.

Source: Include/cpython/code.h.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import NamedTuple

from memdash.errors import BadRead, LayoutRefused
from memdash.model.profile import Frame
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.lines import line_of
from memdash.probes.cpython.record import Record
from memdash.probes.cpython.text import Text

__all__ = ["CodeObjects", "Place"]

_CODE = "PyCodeObject"
_TYPE_AT = 8
"""ob_type in every object of a build with a GIL."""

_LONGEST_TABLE_BYTES = 1 << 20
_SIZE = struct.Struct("<q")
_MOST_KEPT = 20_000
_MOST_PLACES = 1024


class Place(NamedTuple):
    """Where a frame stands: the address of its code object, and the byte of its bytecode."""

    code: int
    offset: int


class _Code:
    """``head`` are the members it was told by: an object that was put in its place has others."""

    __slots__ = ("file", "first_line", "frames", "head", "name", "table")

    def __init__(self, head: tuple[int, ...], name: str, file: str, first_line: int, table: bytes) -> None:
        self.head = head
        self.name = name
        self.file = file
        self.first_line = first_line
        self.table = table
        self.frames: dict[int, Frame] = {}


class CodeObjects:
    """Those met in stacks so far, at most 20 000; names are read once for each, some 50 µs."""

    def __init__(self, interpreter: Interpreter) -> None:
        """Raises LayoutRefused when a member, or the type that code objects have, is not known."""
        layout = interpreter.layout
        code_type = interpreter.binary.exported("PyCode_Type")
        if code_type is None:
            raise LayoutRefused("it does not say where the type of its code objects stands")
        self._type = code_type
        self._memory = interpreter.memory
        self._minor = interpreter.version.minor
        self._text = Text(interpreter)
        self._bytes_size_at = layout.offset("PyBytesObject", "ob_size")
        self._bytes_at = layout.offset("PyBytesObject", "ob_sval")
        name = "co_qualname" if layout.has(_CODE, "co_qualname") else "co_name"
        table = "co_linetable" if layout.has(_CODE, "co_linetable") else "co_lnotab"
        pointers = [(layout.offset(_CODE, member), "Q") for member in (name, "co_filename", table)]
        self._head = Record((_TYPE_AT, "Q"), *pointers, (layout.offset(_CODE, "co_firstlineno"), "i"))
        self._known: dict[int, _Code] = {}

    def look_at(self, addresses: Collection[int]) -> bool:
        """Read which objects stand there now; true when one is not the one that stood there before.

        What is no code object, or gone, is not known afterwards. Raises AccessDenied, TargetExited.
        """
        changed = False
        strings: dict[int, str] = {}
        for address, head in self._heads(addresses).items():
            known = self._known.get(address)
            if known is not None and known.head == head:
                continue
            changed = changed or known is not None
            self._known.pop(address, None)
            if head is not None and head[0] == self._type:
                self._learn(address, head, strings)
        if len(self._known) > _MOST_KEPT:
            self._known = {address: self._known[address] for address in addresses if address in self._known}
        return changed

    def frame(self, place: Place) -> Frame | None:
        """What stands in a stack at this place; None when it is not known."""
        code = self._known.get(place.code)
        if code is None:
            return None
        frame = code.frames.get(place.offset)
        if frame is None:
            if len(code.frames) > _MOST_PLACES:
                code.frames.clear()
            line = line_of(self._minor, code.table, code.first_line, place.offset)
            frame = code.frames[place.offset] = Frame(code.name, code.file, line)
        return frame

    def beginning(self, place: Place) -> Frame | None:
        """The same function at its first line, wherever it stands now."""
        code = self._known.get(place.code)
        return None if code is None else Frame(code.name, code.file, code.first_line)

    def _heads(self, addresses: Collection[int]) -> dict[int, tuple[int, ...] | None]:
        try:
            content = self._memory.plan([self._head.part(address) for address in addresses]).read()
            return dict(zip(addresses, self._head.rows(content), strict=True))
        except BadRead:
            return {address: self._head_at(address) for address in addresses}

    def _head_at(self, address: int) -> tuple[int, ...] | None:
        try:
            return self._head.row(self._memory.read(*self._head.part(address)))
        except BadRead:
            return None

    def _learn(self, address: int, head: tuple[int, ...], strings: dict[int, str]) -> None:
        """``strings`` holds what was read a moment ago: the functions of one file share its name."""
        _, name_at, file_at, table_at, first_line = head
        try:
            for text_at in (name_at, file_at):
                if text_at not in strings:
                    strings[text_at] = self._text.read(text_at)
            table = self._table(table_at)
        except BadRead:
            return  # it is being made or taken apart
        self._known[address] = _Code(head, strings[name_at], strings[file_at], first_line, table)

    def _table(self, address: int) -> bytes:
        """The content of a bytes object. Raises BadRead."""
        head = self._memory.read(address, self._bytes_at)
        size = _SIZE.unpack_from(head, self._bytes_size_at)[0]
        if not 0 <= size <= _LONGEST_TABLE_BYTES:
            raise BadRead(f"there is no bytes object at {address:#x}")
        return self._memory.read(address + self._bytes_at, size)
