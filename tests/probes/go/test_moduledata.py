"""Finding the module among the variables, here in our own memory."""

import ctypes
import os
import struct
from collections.abc import Mapping

import pytest

from memdash.errors import LayoutRefused
from memdash.probes.go.moduledata import Module, find_module
from memdash.process.memory import ProcessMemory
from tests.handmade import DATA_ADDRESS, ElfFile
from tests.probes.go.conftest import ElfOf

TABLE = 0x480000
TEXT, TEXT_END = 0x1000, 0x9000
SIZE = 4096


class Variables:
    """The writable segment of a program, loaded into our memory."""

    def __init__(self) -> None:
        self.held = ctypes.create_string_buffer(SIZE + 16)
        self.start = (ctypes.addressof(self.held) + 15) & ~15
        self.bias = self.start - DATA_ADDRESS

    def put(self, at: int, *, minpc: int = TEXT + 16, maxpc: int = TEXT_END - 16, empty: bool = False) -> None:
        words = [self.bias + TABLE, *[0] * 19, minpc, maxpc, TEXT, TEXT_END]
        words += [0] * 8 if empty else [0x20, 0x30, 0x30, 0x50, 0x60, 0x90, 0, 0]
        ctypes.memmove(self.start + at, struct.pack("<32Q", *words), 256)

    def find(self, elf_of: ElfOf, placed: Mapping[str, tuple[int, int]] | None = None) -> Module:
        with ProcessMemory(os.getpid()) as memory:
            return find_module(elf_of(ElfFile(data=bytes(SIZE), placed=placed or {})), memory, self.bias, TABLE)


@pytest.fixture
def variables() -> Variables:
    return Variables()


def test_is_found_by_its_pointer_to_the_function_table(elf_of: ElfOf, variables: Variables) -> None:
    variables.put(1024)
    module = variables.find(elf_of)
    assert module == Module(variables.start + 1024, variables.bias, TEXT, TEXT_END, 0x20, 0x90)
    assert module.in_file(module.address) == DATA_ADDRESS + 1024


def test_what_only_looks_like_it_is_passed_over(elf_of: ElfOf, variables: Variables) -> None:
    variables.put(256, minpc=TEXT - 1)
    variables.put(516)  # not at a multiple of 8
    variables.put(1024, maxpc=TEXT_END + 1)
    variables.put(1536, empty=True)
    variables.put(2048)
    assert variables.find(elf_of).address == variables.start + 2048


def test_its_own_section_says_where_it_is(elf_of: ElfOf, variables: Variables) -> None:
    variables.put(256)
    variables.put(2048)
    placed = {".go.module": (DATA_ADDRESS + 2048, 512)}
    assert variables.find(elf_of, placed=placed).address == variables.start + 2048


def test_when_there_is_none_the_program_is_refused(elf_of: ElfOf, variables: Variables) -> None:
    with pytest.raises(LayoutRefused, match="moduledata"):
        variables.find(elf_of)


def test_a_section_of_exabytes_is_not_walked_to_its_end(elf_of: ElfOf, variables: Variables) -> None:
    variables.put(1024)
    placed = {".noptrdata": (1 << 47, 1 << 60)}
    assert variables.find(elf_of, placed).address == variables.start + 1024
