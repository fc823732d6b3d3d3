"""Where the small-object allocator keeps its table of arenas.

From 3.12 on it belongs to the interpreter; before that it is some static variables: found by the symbol table, or in a
stripped file by the code of the exported function that reads them. Source: Objects/obmalloc.c, pycore_obmalloc.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from memdash.errors import BadRead
from memdash.probes.cpython.interpreter import Interpreter

__all__ = ["Arena", "ArenaTable", "find_arenas", "list_arenas", "read_arenas"]

_STATE = "_obmalloc_state"
_LARGEST_SHIFT_BYTES = 1024
_SIZE_CLASSES = 32
_POOL_TABLE_BYTES = 16 * _SIZE_CLASSES

_ARENA = struct.Struct("<QQII24x")
"""struct arena_object: address, pool_address, nfreepools, ntotalpools and three pointers; the same in 3.8 to 3.15."""

_FEWEST_ARENAS, _MOST_ARENAS = 16, 1 << 24
_MOST_TRIES = 4
_COUNTING_FUNCTION = "_Py_GetAllocatedBlocks"
_LONGEST_CODE_BYTES = 256
_STATICS = ("arenas", "maxarenas", "raw_allocated_blocks", "narenas_currently_allocated", "_Py_AllocatedBlocks")


@dataclass(frozen=True, slots=True)
class ArenaTable:
    """Addresses of the allocator's variables; those that could not be located are None.

    ``large_blocks_at`` counts the blocks above 512 bytes, which malloc serves; ``all_blocks_at`` (3.8) all blocks.
    ``found_by`` says how in one word or two.
    """

    found_by: str
    arenas_at: int | None = None
    length_at: int | None = None
    large_blocks_at: int | None = None
    all_blocks_at: int | None = None
    in_use_at: int | None = None


@dataclass(frozen=True, slots=True)
class Arena:
    """A piece of address space that pools are carved from, so far up to ``carved_up_to``; ``index`` is its place."""

    index: int
    address: int
    carved_up_to: int

    def pools(self, pool_bytes: int) -> range:
        """The addresses of its pools, which are aligned also where the arena is not."""
        return range(-(-self.address // pool_bytes) * pool_bytes, self.carved_up_to, pool_bytes)


def find_arenas(interpreter: Interpreter) -> ArenaTable | None:
    """None when nothing of it was found. Raises what reading memory raises."""
    if _STATE in interpreter.layout.structs:
        return _in_state(interpreter)
    return _by_symbols(interpreter) or _by_code(interpreter)


def read_arenas(interpreter: Interpreter, arenas_at: int, length_at: int) -> list[Arena]:
    """The arenas that exist now. Raises BadRead when they make no sense: the table moves when it grows."""
    memory = interpreter.memory
    table, length = memory.u64(arenas_at), memory.u32(length_at)
    if length > _MOST_ARENAS:
        raise BadRead(f"the allocator's table is said to have {length} places for arenas")
    arena_bytes = 1 << interpreter.layout.constants["ARENA_BITS"]
    pool_bytes = 1 << interpreter.layout.constants["POOL_BITS"]
    most_pools = arena_bytes // pool_bytes
    found = []
    for index, (address, carved_up_to, free, pools) in enumerate(
        _ARENA.iter_unpack(memory.read(table, length * _ARENA.size))
    ):
        if not address:
            continue
        carved = (carved_up_to - address) // pool_bytes
        is_whole = address <= carved_up_to <= address + arena_bytes and pools <= most_pools <= pools + 1
        # Pools not carved yet are free ones; the two counts do not change at the same moment.
        if not is_whole or not pools - carved - 1 <= free <= pools:
            raise BadRead("the allocator's table of arenas holds something else")
        found.append(Arena(index, address, carved_up_to))
    return found


def list_arenas(interpreter: Interpreter, arenas_at: int, length_at: int) -> list[Arena]:
    """The same, with a few looks at a table that makes no sense: it may just be growing."""
    for _ in range(_MOST_TRIES - 1):
        try:
            return read_arenas(interpreter, arenas_at, length_at)
        except BadRead:
            continue
    return read_arenas(interpreter, arenas_at, length_at)


def _in_state(interpreter: Interpreter) -> ArenaTable | None:
    """3.12 keeps the state in the interpreter, 3.13 and later a pointer to it; where, differs between releases."""
    layout, memory = interpreter.layout, interpreter.memory
    expected = interpreter.main + layout.offset("PyInterpreterState", "obmalloc")
    is_pointer = layout.constants["obmalloc is a pointer"]
    for shift in sorted(range(-_LARGEST_SHIFT_BYTES, _LARGEST_SHIFT_BYTES, 8), key=abs):
        try:
            state = memory.u64(expected + shift) if is_pointer else expected + shift
            if not _begins_with_pools(interpreter, state):
                continue
        except BadRead:
            continue  # what was taken for a pointer is none
        at = {name: state + offset for name, offset in layout.structs[_STATE].offsets.items()}
        return ArenaTable(
            found_by="interpreter state",
            arenas_at=at["mgmt.arenas"],
            length_at=at["mgmt.maxarenas"],
            large_blocks_at=at["mgmt.raw_allocated_blocks"],
            in_use_at=at["mgmt.narenas_currently_allocated"],
        )
    return None


def _begins_with_pools(interpreter: Interpreter, address: int) -> bool:
    """Whether the table of partly used pools stands there: each list of a size class is empty or leads to pools.

    An empty list points 16 bytes before itself, a trick of the allocator that nothing else looks like.
    """
    if not address or address % 8:
        return False
    words = struct.unpack(f"<{2 * _SIZE_CLASSES}Q", interpreter.memory.read(address, _POOL_TABLE_BYTES))
    pool_mask = (1 << interpreter.layout.constants["POOL_BITS"]) - 1
    return all(
        word == address + 16 * (number // 2) - 16 or (word and not word & pool_mask)
        for number, word in enumerate(words)
    )


def _by_symbols(interpreter: Interpreter) -> ArenaTable | None:
    at = interpreter.binary.variables(_STATICS)
    if not at.keys() >= {"arenas", "maxarenas"}:
        return None
    return ArenaTable(
        found_by="symbol table",
        arenas_at=at["arenas"],
        length_at=at["maxarenas"],
        large_blocks_at=at.get("raw_allocated_blocks"),
        all_blocks_at=at.get("_Py_AllocatedBlocks"),
        in_use_at=at.get("narenas_currently_allocated"),
    )


def _by_code(interpreter: Interpreter) -> ArenaTable | None:
    """The function sums up the blocks of all pools, so it loads the table, its length, and the count of large blocks.

    That of 3.8 loads only a total. What is found is believed only if it looks like a table of arenas.
    """
    function = interpreter.binary.elf.dynamic_symbols([_COUNTING_FUNCTION]).get(_COUNTING_FUNCTION)
    if function is None:
        return None
    start = function.address + interpreter.binary.bias
    code = interpreter.memory.read(start, min(function.size, _LONGEST_CODE_BYTES))
    loaded = list(dict.fromkeys(at for at in _loads(code, start) if _is_variable(interpreter, at)))
    if interpreter.version.minor == 8:
        return ArenaTable("code", all_blocks_at=loaded[0]) if len(loaded) == 1 else None
    if not any(map(interpreter.memory.u64, loaded)):
        return ArenaTable("code", *loaded[:2])  # the allocator is not in use: any two of these say so
    for arenas_at, length_at in permutations(loaded, 2):
        if _leads_to_arenas(interpreter, arenas_at, length_at):
            others = [at for at in loaded if at not in (arenas_at, length_at)]
            large_blocks_at = others[0] if len(others) == 1 else None
            return ArenaTable("code", arenas_at, length_at, large_blocks_at=large_blocks_at)
    return None


def _loads(code: bytes, start: int) -> Iterator[int]:
    """Addresses that instructions without an immediate operand name relative to themselves (x86-64)."""
    for at in range(2, len(code) - 3):
        if code[at - 1] & 0xC7 == 0x05:  # ModRM: relative to the instruction pointer
            yield start + at + 4 + int.from_bytes(code[at : at + 4], "little", signed=True)


def _is_variable(interpreter: Interpreter, address: int) -> bool:
    address -= interpreter.binary.bias
    return any(
        segment.is_loaded
        and segment.is_writable
        and segment.address <= address <= segment.address + segment.memory_bytes - 8
        for segment in interpreter.binary.elf.segments
    )


def _leads_to_arenas(interpreter: Interpreter, arenas_at: int, length_at: int) -> bool:
    length = interpreter.memory.u32(length_at)
    if not _FEWEST_ARENAS <= length <= _MOST_ARENAS or length & (length - 1):
        return False
    try:
        return bool(list_arenas(interpreter, arenas_at, length_at))
    except BadRead:
        return False
