"""Pieces of machine code that every C library has: what an errand strings together.

Nothing is written into the target's code. What is looked for stands in any libc, at an address that differs by build:
the instructions with which a signal handler returns, and ``pop rdi; ret``, which loads the argument of a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from memdash.errors import BadRead, LayoutRefused, TargetExited
from memdash.process.memory import ProcessMemory

__all__ = ["Gadgets", "find_gadgets"]

_CODE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-x\S* \S+ \S+ \S+ +(/\S*)", re.MULTILINE)
_RETURN_FROM_SIGNAL = b"\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05"
"""mov rax, 15; syscall"""

_LOAD_ARGUMENT = b"\x5f\xc3"
"""pop rdi; ret. Its second byte alone is a ``ret``."""

_MOST_BYTES = 64 << 20


class Gadgets(NamedTuple):
    """Addresses in the process."""

    return_from_signal: int
    load_argument: int

    @property
    def nothing(self) -> int:
        """A bare ``ret``."""
        return self.load_argument + 1


def find_gadgets(memory: ProcessMemory) -> Gadgets:
    """Look through the code of the C library, then through all other. 2 ms. Raises LayoutRefused, TargetExited."""
    found: dict[bytes, int] = {}
    for start, code in _pieces(memory):
        for pattern in (_RETURN_FROM_SIGNAL, _LOAD_ARGUMENT):
            at = code.find(pattern)
            if at >= 0:
                found.setdefault(pattern, start + at)
        if len(found) == len(Gadgets._fields):
            return Gadgets(found[_RETURN_FROM_SIGNAL], found[_LOAD_ARGUMENT])
    raise LayoutRefused("its C library is none that memdash knows its way in")


def _pieces(memory: ProcessMemory) -> Iterator[tuple[int, bytes]]:
    try:
        with open(f"/proc/{memory.pid}/maps", encoding="utf-8", errors="backslashreplace") as file:
            matches = list(_CODE.finditer(file.read()))
    except OSError:
        raise TargetExited(f"process {memory.pid} has ended") from None
    matches.sort(key=lambda match: "libc" not in match[3].rpartition("/")[2])
    left = _MOST_BYTES
    for match in matches:
        start, end = int(match[1], 16), int(match[2], 16)
        size = min(end - start, left)
        left -= size
        try:
            yield start, memory.read(start, size)
        except BadRead:
            continue
