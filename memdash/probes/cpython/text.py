"""Words in a Python's memory: str objects, and C strings. All of it is the target's, to be shown, never obeyed.

Source: Include/cpython/unicodeobject.h (PyASCIIObject, PyCompactUnicodeObject).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from memdash.errors import BadRead
from memdash.probes.cpython.interpreter import Interpreter
from memdash.process.memory import ProcessMemory

__all__ = ["Text", "read_c_string"]

_LONGEST = 4096
"""Characters of a str, or bytes of a C string, that are read; what follows is cut off: paths are shorter."""

_PAGE_BYTES = 4096
_C_STRING_STEP_BYTES = 256
_ENCODINGS: Mapping[int, str] = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}
"""By the bytes of a character, which is what a str's kind says."""


class Text:
    """Reads str objects whose characters follow the object itself, as those of all but subclasses of str do."""

    def __init__(self, interpreter: Interpreter) -> None:
        layout = interpreter.layout
        self._memory = interpreter.memory
        self._type = interpreter.binary.exported("PyUnicode_Type")
        self._ascii_bytes = layout.size("PyASCIIObject")
        self._compact_bytes = layout.size("PyCompactUnicodeObject")
        self._head = struct.Struct("<8xQ")
        self._length_at = layout.offset("PyASCIIObject", "length")
        self._state_at = layout.offset("PyASCIIObject", "state")
        self._kind, self._compact, self._ascii = (
            layout.constants[f"PyASCIIObject.state.{name} shift"] for name in ("kind", "compact", "ascii")
        )

    def read(self, address: int) -> str:
        """The str at ``address``, 10 µs. Raises BadRead when it is none; lone surrogates stay as they are."""
        head = self._memory.read(address, self._ascii_bytes)
        (kind_of_object,) = self._head.unpack_from(head)
        length = int.from_bytes(head[self._length_at : self._length_at + 8], "little", signed=True)
        state = int.from_bytes(head[self._state_at : self._state_at + 4], "little")
        width = state >> self._kind & 7
        is_str = self._type is None or kind_of_object == self._type
        if not is_str or width not in _ENCODINGS or not state >> self._compact & 1 or length < 0:
            raise BadRead(f"there is no str at {address:#x}")
        start = address + (self._ascii_bytes if state >> self._ascii & 1 else self._compact_bytes)
        content = self._memory.read(start, min(length, _LONGEST) * width)
        try:
            return content.decode(_ENCODINGS[width], "surrogatepass")
        except ValueError:
            raise BadRead(f"there is no str at {address:#x}") from None


def read_c_string(memory: ProcessMemory, address: int) -> bytes:
    """The bytes up to the NUL, at most 4096 of them. Raises BadRead."""
    found = b""
    while len(found) < _LONGEST:
        at = address + len(found)
        size = min(_C_STRING_STEP_BYTES, _PAGE_BYTES - at % _PAGE_BYTES)  # the next page may not be mapped
        piece, nul, _ = memory.read(at, size).partition(b"\0")
        found += piece
        if nul:
            return found
    return found[:_LONGEST]
