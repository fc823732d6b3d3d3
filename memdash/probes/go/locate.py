"""Where the runtime's global variables stand: by the symbol table, or without one by the code that refers to them.

A stripped program has no symbol table, but its code has not changed: the instructions that load ``runtime.memstats``
stand where they stood in the reference builds, and hold its address relative to themselves. Every function in which a
recipe matches casts a vote: recipes of one function go wrong together, when a patch release moved its code. Over 89
live builds of all kinds and of six more patch releases every address was right but one (``work`` of 1.25 with a
GOEXPERIMENT that changes its layout).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from memdash.errors import BadRead
from memdash.probes.go.layouts import Recipe
from memdash.probes.go.moduledata import Module
from memdash.probes.go.pclntab import Pclntab, Span
from memdash.process.elf import Elf

__all__ = ["Located", "Recipes", "by_code", "by_symbols", "locate"]

_FEWEST_VOTES = 2
_FEWEST_SHARE = 0.6
_LARGE_STRINGS_BYTES = 4 << 20
"""Searching the symbol table takes 5 ms for each MB of it: beyond this the code, which takes 3 ms, is asked first."""

Recipes: TypeAlias = Mapping[str, tuple[Recipe, ...]]
"""What refers to a variable, by its name."""


class Located(NamedTuple):
    """Addresses in the process by name without ``runtime.``; ``votes`` is how many functions agreed on them in all."""

    addresses: Mapping[str, int]
    votes: int = 0


def locate(
    elf: Elf,
    functions: Pclntab,
    module: Module,
    recipes: Recipes,
    *,
    needed: frozenset[str],
    welcome: frozenset[str] = frozenset(),
) -> Located:
    """Find the variables by the symbol table or by the code: the quicker of the two that finds all that are needed.

    Raises BadRead. What could not be found is not in the answer.
    """
    names = needed | welcome
    ways: list[Callable[[], Located]] = [
        lambda: by_symbols(elf, module.bias, names),
        lambda: by_code(elf, functions, module, recipes, names),
    ]
    strings = elf.sections.get(".strtab")
    if strings is not None and strings.size > _LARGE_STRINGS_BYTES:
        ways.reverse()
    located = Located({})
    for way in ways:
        located = way()
        if located.addresses.keys() >= needed:
            break
    return located


def by_symbols(elf: Elf, bias: int, names: Iterable[str]) -> Located:
    """Look the variables up in the symbol table; a stripped program has none. Raises BadRead."""
    symbols = elf.symbols(f"runtime.{name}" for name in names)
    return Located({name.removeprefix("runtime."): symbol.address + bias for name, symbol in symbols.items()})


def by_code(elf: Elf, functions: Pclntab, module: Module, recipes: Recipes, names: Collection[str]) -> Located:
    """Let the functions vote; a variable without a clear majority is left out. 1 to 3 ms. Raises BadRead."""
    wanted = {name: rows for name, rows in recipes.items() if name in names}
    spans = functions.spans({recipe.function for rows in wanted.values() for recipe in rows})
    code = _Code(elf, module, spans)
    addresses, agreed = {}, 0
    for name, rows in wanted.items():
        cast = {(recipe.function, target) for recipe in rows if (target := code.target(recipe)) is not None}
        votes = Counter(target for _, target in cast)
        for address, count in votes.most_common(1):
            total = votes.total()
            if count == total == 1 or (count >= _FEWEST_VOTES and count >= _FEWEST_SHARE * total):
                addresses[name] = address
                agreed += count
    return Located(addresses, agreed)


class _Code:
    """The code of some functions. It is read from the file: code has no relocations."""

    def __init__(self, elf: Elf, module: Module, spans: Mapping[str, Span]) -> None:
        self._elf = elf
        self._module = module
        self._spans = spans

    def target(self, recipe: Recipe) -> int | None:
        """The address in the process that a recipe leads to; None when it does not match or points elsewhere."""
        span = self._spans.get(recipe.function)
        if span is None or recipe.offset + 4 > span.size or recipe.offset < len(recipe.opcode):
            return None
        start = self._module.text + span.offset
        try:
            code = self._elf.view(
                self._module.in_file(start) + recipe.offset - len(recipe.opcode), len(recipe.opcode) + 4
            )
        except BadRead:
            return None
        if code[:-4] != recipe.opcode:
            return None
        distance = int.from_bytes(code[-4:], "little", signed=True)
        target = start + recipe.offset + recipe.tail + distance - recipe.addend
        return target if self._module.variables <= target < self._module.variables_end else None
