"""Lines and the functions that they belong to, against Python's own parser."""

from __future__ import annotations

import ast
import random
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from memdash.probes.cpython.blocks import Blocks

SOURCE = '''"""def not_this(): in a docstring"""
import os

def plain(a, b):
    return a

class Store:
    kept = []

    def add(self, row):
        def later():
            return [row]
        return later
    def get(self): return self.kept
    text = """
def nor_this():
"""

async  def served(
    one,
    two=(3),
) -> None:  # def: in a comment
    await one
    if two:
\tdef tabbed(): pass
    x = "def no" + 'def "no' + \\
def_is_no_keyword_here

after = 1
'''


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (1, "<module>"),
        (4, "plain"),
        (5, "plain"),
        (8, "Store"),
        (10, "Store.add"),
        (12, "Store.add.<locals>.later"),
        (13, "Store.add"),
        (14, "Store.get"),
        (16, "Store"),
        (19, "served"),
        (23, "served"),
        (25, "served.<locals>.tabbed"),
        (29, "<module>"),
        (900, "<module>"),
    ],
)
def test_the_innermost_function_holds_a_line(line: int, name: str) -> None:
    assert Blocks(SOURCE).name(line) == name


def definitions(node: ast.AST, prefix: str = "") -> Iterator[tuple[int, int, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            assert child.end_lineno is not None
            yield child.lineno, child.end_lineno, prefix + child.name
            inner = "." if isinstance(child, ast.ClassDef) else ".<locals>."
            yield from definitions(child, f"{prefix}{child.name}{inner}")
        else:
            yield from definitions(child, prefix)


@pytest.mark.matrix
def test_all_of_the_standard_library_is_taken_apart_as_by_its_parser() -> None:
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    assert len(files) > 100
    for path in files:
        source = path.read_text(encoding="utf-8", errors="replace")
        found = {(block.first, block.name): block.last for block in Blocks(source)}
        told = {(first, name): last for first, last, name in definitions(ast.parse(source))}
        assert found.keys() == told.keys(), path
        lines = source.split("\n")
        for key, last in told.items():
            # What follows the last statement is empty, or a comment, which belongs to nobody.
            assert all(not line.strip() or line.lstrip()[0] == "#" for line in lines[last : found[key]]), (path, key)
            assert found[key] >= last


def test_no_text_is_beyond_it() -> None:
    dice = random.Random(3)
    pieces = ["def ", "class ", "\n", "    ", "\t", '"""', "'", '"', "(", ")", "\\", "#", "f", ":", "\0", "é", "\r\n"]
    for _ in range(300):
        source = "".join(dice.choices(pieces, k=200))
        blocks = Blocks(source)
        assert all(blocks.name(line) for line in range(-1, 60))
