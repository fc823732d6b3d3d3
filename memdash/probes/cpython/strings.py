"""The words of a str object, and the content of a bytes object, from the process's memory.

Source: Include/cpython/unicodeobject.h (PyASCIIObject, PyCompactUnicodeObject), Include/cpython/bytesobject.h.
"""

from __future__ import annotations

import struct

from memdash.errors import BadRead
from memdash.probes.cpython.layouts import Layout
from memdash.process.memory import ProcessMemory

__all__ = ["Strings"]

_LONGEST_WORDS = 4096
"""Characters that are read of a name or path; what is longer is cut."""

_LONGEST_BYTES = 1 << 20
_AT_ONCE = 256
"""Bytes that one read takes along: a header and most names."""

_KINDS = {1: "latin-1", 2: "utf-16-le", 4: "utf-32-le"}
_INT = struct.Struct("<I")
_SIZE = struct.Struct("<q")


class Strings:
    """Reads objects whose type is not looked at: what makes no sense raises BadRead. Some 8 µs each."""

    def __init__(self, memory: ProcessMemory, layout: Layout) -> None:
        """Raises LayoutRefused when the layout lacks a member."""
        self._memory = memory
        self._length_at = layout.offset("PyASCIIObject", "length")
        self._state_at = layout.offset("PyASCIIObject", "state")
        self._ascii_bytes = layout.size("PyASCIIObject")
        self._compact_bytes = layout.size("PyCompactUnicodeObject")
        self._kind_shift, self._compact_shift, self._ascii_shift = (
            layout.constants[f"PyASCIIObject.state.{name} shift"] for name in ("kind", "compact", "ascii")
        )
        self._size_at = layout.offset("PyBytesObject", "ob_size")
        self._content_at = layout.offset("PyBytesObject", "ob_sval")

    def text(self, address: int) -> str:
        """The str at ``address``, its first 4096 characters; untrusted. Raises BadRead, AccessDenied, TargetExited."""
        head = self._head(address, self._compact_bytes)
        length = _SIZE.unpack_from(head, self._length_at)[0]
        state = _INT.unpack_from(head, self._state_at)[0]
        width = state >> self._kind_shift & 7
        if width not in _KINDS or not state >> self._compact_shift & 1 or length < 0:
            raise BadRead(f"there is no str at {address:#x}")
        start = self._ascii_bytes if state >> self._ascii_shift & 1 else self._compact_bytes
        wanted = min(length, _LONGEST_WORDS) * width
        return self._tail(address, head, start, wanted).decode(_KINDS[width], "backslashreplace")

    def content(self, address: int) -> bytes:
        """The bytes object at ``address``. Raises BadRead, also when it says to be longer than 1 MiB."""
        head = self._head(address, self._content_at)
        size = _SIZE.unpack_from(head, self._size_at)[0]
        if not 0 <= size <= _LONGEST_BYTES:
            raise BadRead(f"there is no bytes object at {address:#x}")
        return self._tail(address, head, self._content_at, size)

    def _head(self, address: int, least: int) -> bytes:
        try:
            return self._memory.read(address, _AT_ONCE)
        except BadRead:  # it may stand at the end of what is mapped
            return self._memory.read(address, least)

    def _tail(self, address: int, head: bytes, start: int, size: int) -> bytes:
        held = head[start : start + size]
        return held if len(held) == size else self._memory.read(address + start, size)
