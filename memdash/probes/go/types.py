"""The names of Go's types, from their descriptions in the program. Source: internal/abi/type.go (Type, Name)."""

from __future__ import annotations

import struct

from memdash.errors import BadRead
from memdash.probes.go.program import Program

__all__ = ["TypeNames"]

_EXTRA_STAR = 1 << 1
_LONGEST_NAME = 512
_MOST_HELD = 1 << 16


class TypeNames(dict[int, str]):
    """Names by address of the type's description; empty for what is none. 20 µs a new one."""

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused, and what reading memory raises."""
        super().__init__()
        self._memory = program.memory
        module, at = program.module.address, program.offset
        self._start = program.memory.u64(module + at("moduledata", "types"))
        self._end = program.memory.u64(module + at("moduledata", "etypes"))
        self._size = program.size("_type")
        self._flags_at, self._name_at = at("_type", "TFlag"), at("_type", "Str")

    def __missing__(self, address: int) -> str:
        """Look a type up. What reflection has made while the program ran has no name here."""
        if len(self) >= _MOST_HELD:
            self.clear()
        try:
            self[address] = name = self._name(address)
        except (BadRead, IndexError, struct.error):
            self[address] = name = ""
        return name

    def _name(self, address: int) -> str:
        if not self._start <= address <= self._end - self._size:
            return ""
        described = self._memory.read(address, self._size)
        (offset,) = struct.unpack_from("<i", described, self._name_at)
        at = self._start + offset
        if not self._start < at < self._end:
            return ""
        content = self._memory.read(at, min(_LONGEST_NAME, self._end - at))
        size, begins = content[1] & 0x7F, 2
        if content[1] & 0x80:
            size, begins = size | content[2] << 7, 3
        name = content[begins : begins + size].decode(errors="backslashreplace")
        return name.removeprefix("*") if described[self._flags_at] & _EXTRA_STAR else name
