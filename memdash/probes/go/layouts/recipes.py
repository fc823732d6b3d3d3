"""Find the instructions that refer to the runtime's globals, in a build that still has its symbols.

A stripped program keeps its function table, so the same instruction of the same function leads to the same global
there. Needs capstone.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import capstone

from memdash.probes.go.layouts.layout import Recipe
from memdash.process.elf import Elf, Symbol

__all__ = ["find", "pick"]

_FUNCTION = 2  # STT_FUNC
_SYMBOL = struct.Struct("<IBBHQQ")


class _Function(NamedTuple):
    name: str
    address: int
    size: int


def find(elf: Elf, symbols: Mapping[str, Symbol]) -> dict[str, list[Recipe]]:
    """Every instruction of package runtime that refers to one of the symbols, in the order they stand in the code."""
    by_address = sorted((symbol.address, max(symbol.size, 1), name) for name, symbol in symbols.items())
    starts = [address for address, _, _ in by_address]
    disassembler = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    disassembler.detail = True
    found: dict[str, list[Recipe]] = {}
    for function in _runtime_functions(elf):
        for instruction in disassembler.disasm(elf.read(function.address, function.size), function.address):
            at = instruction.disp_offset
            if instruction.disp_size != 4 or at < 1 or instruction.bytes[at - 1] & 0xC7 != 5:
                continue  # 5 in mod and r/m of the byte before the displacement: relative to the instruction pointer
            target = instruction.address + instruction.size + instruction.disp
            index = bisect_right(starts, target) - 1
            if index < 0 or target >= starts[index] + by_address[index][1]:
                continue
            offset = instruction.address - function.address + at
            opcode = bytes(instruction.bytes[:at])
            recipe = Recipe(function.name, offset, instruction.size - at, target - starts[index], opcode)
            found.setdefault(by_address[index][2], []).append(recipe)
    return found


def pick(candidates: Sequence[Recipe], wished: int = 10, enough: int = 6) -> list[Recipe]:
    """The recipes least likely to mislead: long opcodes first, each in a function of its own.

    A function that a newer patch release changed then costs one vote. Where there are too few functions, further
    recipes in the same ones make up ``enough``.
    """
    ranked = sorted(candidates, key=lambda recipe: (-len(recipe.opcode), recipe))
    seen: set[str] = set()
    picked: list[Recipe] = []
    spare: list[Recipe] = []
    for recipe in ranked:
        (spare if recipe.function in seen else picked).append(recipe)
        seen.add(recipe.function)
    picked = picked[:wished]
    return picked + spare[: max(enough - len(picked), 0)]


def _runtime_functions(elf: Elf) -> Iterable[_Function]:
    """The functions of the runtime by the name its function table gives them.

    There, a function that is called from assembly too shares its name with a small wrapper: the larger one counts.
    Instances of a generic function are told apart by nothing, and are left out.
    """
    largest: dict[str, _Function] = {}
    for function in _functions(elf):
        name = function.name.removesuffix(".abi0")
        if not name.startswith(("runtime.", "internal/runtime/")) or "[" in name:
            continue
        if name not in largest or function.size > largest[name].size:
            largest[name] = function._replace(name=name)
    return largest.values()


def _functions(elf: Elf) -> Iterator[_Function]:
    table, names = elf.section_bytes(".symtab") or b"", elf.section_bytes(".strtab") or b""
    for name_at, info, _, _, address, size in _SYMBOL.iter_unpack(table):
        if info & 0xF == _FUNCTION:
            yield _Function(names[name_at : names.find(b"\0", name_at)].decode(), address, size)
