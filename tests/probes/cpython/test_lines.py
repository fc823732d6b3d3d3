"""Lines of instructions, by the interpreter that runs the tests and by tables made by hand."""

from __future__ import annotations

import random
import sys
import threading
from types import CodeType

import pytest

from memdash.probes.cpython.lines import line_of


def codes(code: CodeType) -> list[CodeType]:
    return [code, *(inner for const in code.co_consts if isinstance(const, CodeType) for inner in codes(const))]


def test_every_instruction_of_a_module_is_at_the_line_that_python_says() -> None:
    with open(threading.__file__, encoding="utf-8") as file:
        module = compile(file.read(), threading.__file__, "exec")
    for code in codes(module):
        for start, end, line in code.co_lines():
            for offset in range(start, end, 2):
                found = line_of(sys.version_info.minor, code.co_linetable, code.co_firstlineno, offset)
                assert found == (line or 0), (code.co_name, offset)


@pytest.mark.parametrize(
    ("offset", "line"), [(-1, 10), (0, 10), (5, 10), (6, 11), (7, 11), (8, 9), (254, 9), (263, 500), (999, 500)]
)
def test_increments_of_3_8_and_3_9(offset: int, line: int) -> None:
    # As in lnotab_notes.txt: a step of more than 255 bytes, or 127 lines, takes several pairs.
    table = bytes([6, 1, 2, 0xFE, 255, 0, 0, 127, 0, 127, 0, 127, 0, 110])
    assert line_of(9, table, 10, offset) == line


@pytest.mark.parametrize(("offset", "line"), [(-2, 10), (0, 10), (4, 0), (5, 0), (6, 13), (7, 13), (8, 0)])
def test_ranges_of_3_10(offset: int, line: int) -> None:
    assert line_of(10, bytes([4, 0, 2, 0x80, 2, 3]), 10, offset) == line


@pytest.mark.parametrize("minor", [8, 10, 11, 15])
def test_a_table_of_nonsense_gives_some_line(minor: int) -> None:
    chance = random.Random(minor)
    for _ in range(500):
        table = bytes(chance.randrange(256) for _ in range(chance.randrange(40)))
        assert isinstance(line_of(minor, table, chance.randrange(100), chance.randrange(-4, 200)), int)
