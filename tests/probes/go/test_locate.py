"""Votes of the code for where a variable stands."""

import struct

import pytest

from memdash.probes.go import locate as locate_module
from memdash.probes.go.layouts import Recipe
from memdash.probes.go.locate import by_code, by_symbols, locate
from memdash.probes.go.moduledata import Module
from memdash.probes.go.pclntab import Pclntab
from tests.handmade import TEXT_ADDRESS, ElfFile, GoFunction, pclntab
from tests.probes.go.conftest import ElfOf

BIAS = 0x5555_0000_0000
VARIABLES, VARIABLES_END = BIAS + 0x500000, BIAS + 0x510000
THERE, ELSEWHERE = VARIABLES + 0x40, VARIABLES + 0x80
ADDEND = 8
SIZE = 32
OPCODE = b"\x48\x8b\x05"


def code_for(targets: list[int]) -> bytes:
    """One function for each target, which loads from it with an instruction of 7 bytes at its start."""
    code = b""
    for i, target in enumerate(targets):
        end = BIAS + TEXT_ADDRESS + i * SIZE + 7
        code += (OPCODE + struct.pack("<i", target + ADDEND - end)).ljust(SIZE, b"\x90")
    return code


def located(elf_of: ElfOf, targets: list[int], opcode: bytes = OPCODE, offset: int = 3) -> dict[str, int]:
    functions = [GoFunction(f"runtime.f{i}", SIZE) for i in range(len(targets))]
    recipes = tuple(Recipe(function.name, offset, 4, ADDEND, opcode) for function in functions)
    recipes += (Recipe("runtime.notLinked", 3, 4, ADDEND, OPCODE),)
    elf = elf_of(ElfFile(text=code_for(targets)))
    module = Module(0, BIAS, BIAS + TEXT_ADDRESS, BIAS + TEXT_ADDRESS + 4096, VARIABLES, VARIABLES_END)
    table = Pclntab(0, memoryview(pclntab(functions)[0]))
    return dict(by_code(elf, table, module, {"memstats": recipes, "unwanted": recipes}, {"memstats"}).addresses)


@pytest.mark.parametrize(
    ("targets", "found"),
    [
        ([THERE], THERE),
        ([THERE, THERE], THERE),
        ([THERE, THERE, ELSEWHERE], THERE),
        ([THERE] * 3 + [ELSEWHERE] * 2, THERE),
        ([THERE, ELSEWHERE], None),
        ([THERE, THERE, ELSEWHERE, ELSEWHERE], None),
        ([THERE, THERE, ELSEWHERE, VARIABLES + 8], None),
        ([THERE, VARIABLES_END], THERE),  # outside of the variables nobody votes
        ([VARIABLES - 1], None),
    ],
)
def test_a_clear_majority_is_believed(elf_of: ElfOf, targets: list[int], found: int | None) -> None:
    assert located(elf_of, targets) == ({} if found is None else {"memstats": found})


def test_code_that_is_not_as_it_was_does_not_vote(elf_of: ElfOf) -> None:
    assert located(elf_of, [THERE, THERE], opcode=b"\x48\x8d\x05") == {}


@pytest.mark.parametrize("offset", [2, SIZE - 3, SIZE * 50])
def test_a_recipe_that_does_not_fit_into_its_function_does_not_vote(elf_of: ElfOf, offset: int) -> None:
    assert located(elf_of, [THERE, THERE], offset=offset) == {}


def test_symbols_are_found_where_they_were_loaded(elf_of: ElfOf) -> None:
    elf = elf_of(ElfFile(symbols={"runtime.memstats": (0x500010, 8, 1), "main.memstats": (0x500020, 8, 1)}))
    assert by_symbols(elf, BIAS, ["memstats", "mheap_"]).addresses == {"memstats": BIAS + 0x500010}


def found_by(elf_of: ElfOf, *, symbols: bool = True, code: bool = True) -> int | None:
    """Where ``memstats`` is found when the symbol table says THERE and the code ELSEWHERE, or either says nothing."""
    elf = elf_of(
        ElfFile(text=code_for([ELSEWHERE]), symbols={"runtime.memstats": (THERE - BIAS, 8, 1)} if symbols else {})
    )
    module = Module(0, BIAS, BIAS + TEXT_ADDRESS, BIAS + TEXT_ADDRESS + 4096, VARIABLES, VARIABLES_END)
    table = Pclntab(0, memoryview(pclntab([GoFunction("runtime.f0", SIZE)])[0]))
    recipes = {"memstats": (Recipe("runtime.f0", 3, 4, ADDEND, OPCODE if code else b"other"),)}
    return locate(elf, table, module, recipes, needed=frozenset({"memstats"})).addresses.get("memstats")


def test_the_symbol_table_comes_first_unless_it_is_huge(elf_of: ElfOf, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_by(elf_of) == THERE
    monkeypatch.setattr(locate_module, "_LARGE_STRINGS_BYTES", 0)
    assert found_by(elf_of) == ELSEWHERE


@pytest.mark.parametrize("large", [0, 1 << 20])
def test_one_way_makes_up_for_the_other(elf_of: ElfOf, monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    monkeypatch.setattr(locate_module, "_LARGE_STRINGS_BYTES", large)
    assert found_by(elf_of, symbols=False) == ELSEWHERE
    assert found_by(elf_of, code=False) == THERE
    assert found_by(elf_of, symbols=False, code=False) is None
