"""runtime.firstmoduledata: where the linker put the program's code and variables, and where they are now.

Source: runtime/symtab.go. Its first words, up to the bounds of the variables, have stood where they are since Go 1.18.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from memdash.errors import BadRead, LayoutRefused
from memdash.process.elf import Elf
from memdash.process.memory import ProcessMemory

__all__ = ["Module", "find_module"]

_WORDS = 32
_MINPC, _MAXPC, _TEXT, _ETEXT, _NOPTRDATA = 20, 21, 22, 23, 24
_STEP_BYTES = 1 << 20


class Module(NamedTuple):
    """Addresses in the process, unless said otherwise. ``bias`` is what they exceed those in the executable by.

    The variables, initialised or not, are between ``variables`` and ``variables_end``.
    """

    address: int
    bias: int
    text: int
    text_end: int
    variables: int
    variables_end: int

    def in_file(self, address: int) -> int:
        """The address in the executable of an address in the process."""
        return address - self.bias


def find_module(elf: Elf, memory: ProcessMemory, bias: int, pclntab: int) -> Module:
    """Find the module whose function table stands at ``pclntab`` in the executable.

    Go 1.26 gave it a section of its own. Before, it is searched for among the initialised variables in memory: a file
    does not hold the pointers of a PIE. That takes 0.2 to 6 ms. Raises LayoutRefused when it is not found.
    """
    header = pclntab + bias
    for address in _candidates(elf, memory, bias, header):
        try:
            words = memory.words(address, _WORDS)
        except BadRead:
            continue
        if words[0] == header and words[_TEXT] <= words[_MINPC] < words[_MAXPC] <= words[_ETEXT]:
            bounds = [(low, high) for low, high in zip(words[_NOPTRDATA::2], words[_NOPTRDATA + 1 :: 2], strict=True)]
            filled = [(low, high) for low, high in bounds if low < high]
            if filled:
                variables, end = min(low for low, _ in filled), max(high for _, high in filled)
                return Module(address, bias, words[_TEXT], words[_ETEXT], variables, end)
    raise LayoutRefused("the runtime's description of the program (moduledata) was not found in its memory")


def _candidates(elf: Elf, memory: ProcessMemory, bias: int, header: int) -> Iterator[int]:
    section = elf.sections.get(".go.module")
    if section is not None:
        yield section.address + bias
    needle = struct.pack("<Q", header)
    sections = [elf.sections.get(name) for name in (".noptrdata", ".data")]
    places = [(section.address, section.size) for section in sections if section is not None]
    places += [(s.address, s.file_bytes) for s in elf.segments if s.is_loaded and s.is_writable]
    for start, size in places:
        for at in range(start, start + size, _STEP_BYTES):
            try:
                content = memory.read(at + bias, min(_STEP_BYTES, start + size - at))
            except BadRead:
                break  # nobody checks what a section header says: it may be of exabytes
            yield from _aligned_hits(content, at + bias, needle)


def _aligned_hits(content: bytes, address: int, needle: bytes) -> Iterator[int]:
    found = content.find(needle)
    while found >= 0:
        if (address + found) % 8 == 0:
            yield address + found
        found = content.find(needle, found + 1)
