"""Heap profiles of any size, as a server would have them: the same every time."""

from __future__ import annotations

import random
from collections.abc import Iterator

from memdash.pprof.document import Document, Function, Label, Line, Location, Mapping, Sample, ValueType

__all__ = ["heap_profile"]

_TYPES = tuple(
    ValueType(kind, unit)
    for kind, unit in (
        ("alloc_objects", "count"),
        ("alloc_space", "bytes"),
        ("inuse_objects", "count"),
        ("inuse_space", "bytes"),
    )
)
_SIZES = (16, 32, 48, 64, 96, 128, 256, 512, 1024, 4096, 8192)
_ROOTS = (0, 1, 2, 3, 5, 8, 13)
_DEEPEST = 60


def heap_profile(stacks: int, seed: int = 1) -> Document:
    """A profile of that many different stacks: about 20 deep, one call in five inlined, few functions with much."""
    program = _Program(random.Random(seed), max(300, int(stacks**0.5 * 12)))
    return Document(
        sample_types=_TYPES,
        samples=tuple(program.samples(stacks)),
        locations=program.locations,
        mappings=(program.mapping,),
        default_type="inuse_space",
        period_type=ValueType("space", "bytes"),
        period=512 * 1024,
        time_ns=1_767_000_000_000_000_000,
    )


class _Program:
    """Functions that call each other at random, from few call sites each."""

    def __init__(self, dice: random.Random, count: int) -> None:
        self._dice = dice
        self._functions = [_function(number) for number in range(count)]
        self._calls: dict[int, list[tuple[int, int]]] = {}
        self.locations: dict[int, Location] = {}
        self.mapping = Mapping(0x400000, 0x8000000, 0, "/srv/shop/server", "5ca1ab1e", has_functions=True)

    def samples(self, count: int) -> Iterator[Sample]:
        """Different stacks, with values as a sampling profiler would have them."""
        dice = self._dice
        seen: set[tuple[int, ...]] = set()
        while len(seen) < count:
            stack = self._stack()
            if stack in seen:
                continue
            seen.add(stack)
            size = dice.choice(_SIZES)
            allocs = 1 + int(dice.paretovariate(0.9))
            held = allocs - dice.randrange(allocs + 1)
            values = (allocs, allocs * size, held, held * size)
            yield Sample(stack, values, (Label("bytes", number=size),))

    def _stack(self) -> tuple[int, ...]:
        dice = self._dice
        function = dice.choice(_ROOTS)
        stack = []
        for _ in range(min(_DEEPEST, max(3, int(dice.gauss(18, 8))))):
            location, function = dice.choice(self._calls_of(function))
            stack.append(location)
        return tuple(reversed(stack))

    def _calls_of(self, function: int) -> list[tuple[int, int]]:
        """The places where a function calls, and what."""
        calls = self._calls.get(function)
        if calls is None:
            last = len(self._functions) - 1
            calls = self._calls[function] = [
                (self._location(function), min(last, int(self._dice.expovariate(3 / last))))
                for _ in range(self._dice.choice((1, 1, 2, 2, 3, 4, 6)))
            ]
        return calls

    def _location(self, function: int) -> int:
        functions = [function]
        while self._dice.random() < 0.2:
            functions.insert(0, self._dice.randrange(len(self._functions)))
        lines = tuple(
            Line(self._functions[number], self._functions[number].start_line + self._dice.randrange(60))
            for number in functions
        )
        key = len(self.locations) + 1
        self.locations[key] = Location(lines, self.mapping, 0x400000 + 23 * key)
        return key


def _function(number: int) -> Function:
    name = f"(*Type{number % 13}).Method{number}" if number % 3 else f"Func{number}"
    package = f"example.com/shop/internal/pkg{number % 97}"
    file = f"/src/shop/internal/pkg{number % 97}/file{number % 7}.go"
    return Function(f"{package}.{name}", f"{package}.{name}", file, 10 + (number * 37) % 900)
