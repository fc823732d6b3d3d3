"""Many trees of one shape, column by column: what stands at one place in each, as differences.

A minute of moments takes a quarter of what it takes row by row, because neighbours hardly differ.
"""

from __future__ import annotations

import contextlib
import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from memdash.recording.shapes import Plain

__all__ = ["Packed", "column", "dense", "packed", "uncolumn", "unpacked"]

_SAME, _INTS, _WHOLE, _MICROS, _FLOATS, _RING, _ANY = "=", "i", "n", "u", "f", "r", "*"
_WORD = 8
_LEAF = None
_LARGEST, _SMALLEST = (1 << 63) - 1, -(1 << 63)
_MICRO = 1e6
_FINE = 1e12
"""What is larger has no millionths."""
_MOST = 100_000
"""In one piece: what says that it holds more is damaged, and to believe it would take all memory."""
_MOST_TREES, _MOST_CELLS, _MOST_RING_BYTES = 10_000, 2 << 20, 16 << 20
"""Likewise of a block: its trees, all cells, the runs in one column: few bytes can stand for any number of each.

Of moments memdash puts a hundred together, which are some thousand cells and a few KiB of runs each.
"""


def packed(trees: Iterable[Plain]) -> Plain:
    """Groups of neighbours of one shape: ``[shape, number of trees, columns]`` each. Holds one tree at a time."""
    groups: list[tuple[Plain, list[list[Plain]]]] = []
    for tree in trees:
        leaves: list[Plain] = []
        shape = _flatten(tree, leaves)
        if not groups or groups[-1][0] != shape:
            groups.append((shape, []))
        groups[-1][1].append(leaves)
    return [[shape, len(rows), [column(list(cells)) for cells in zip(*rows, strict=True)]] for shape, rows in groups]


class Packed(NamedTuple):
    """One of many trees, which becomes that tree again when it is asked for."""

    shape: Plain
    columns: Sequence[Sequence[Plain]]
    row: int

    def tree(self) -> Plain:
        """It again. Raises one of ``shapes.UNREADABLE``."""
        try:
            return _rebuild(self.shape, iter([values[self.row] for values in self.columns]))
        except StopIteration:
            raise ValueError("fewer columns than its shape has") from None


def unpacked(block: Plain) -> Iterator[Packed]:
    """The trees, in order. Raises one of ``shapes.UNREADABLE`` when it is no such block."""
    trees, cells_left = _MOST_TREES, _MOST_CELLS
    for shape, number, columns in block:
        trees, cells_left = trees - number, cells_left - number * len(columns)
        if number < 1 or trees < 0 or cells_left < 0:
            raise ValueError("more moments than there can be")
        cells = [uncolumn(column, number) for column in columns]
        for row in range(number):
            yield Packed(shape, cells, row)


def _flatten(tree: Plain, leaves: list[Plain]) -> Plain:
    """The shape of a tree, whose leaves are put into ``leaves``: keys and values of a dict in turn, parts of a list."""
    kind = type(tree)
    if kind is dict:
        return {key: _flatten(value, leaves) for key, value in tree.items()}
    if kind is list:
        return [_flatten(value, leaves) for value in tree]
    leaves.append(tree)
    return _LEAF


def _rebuild(shape: Plain, leaves: Iterator[Plain]) -> Plain:
    if type(shape) is dict:
        return {key: _rebuild(part, leaves) for key, part in shape.items()}
    if type(shape) is list:
        return [_rebuild(part, leaves) for part in shape]
    return next(leaves)


def column(values: list[Plain]) -> Plain:
    """Values of one place, as what is cheapest to compress: ``[kind, ...]``."""
    kinds = set(map(type, values))
    if len(kinds) == 1:
        kind = kinds.pop()
        if kind is not float and values.count(values[0]) == len(values):
            return [_SAME, values[0]]
        if kind is int and (steps := _steps(values)) is not None:
            return [_INTS, steps]
        if kind is float:
            return _float_column(values)
        if kind is bytes and (ring := _ring(values)) is not None:
            return [_RING, ring]
    return [_ANY, values]


def _steps(values: Sequence[int]) -> list[int] | None:
    """The first value and then how much each is above the one before; None where that is no 64-bit number."""
    steps = [values[0], *(after - before for before, after in pairwise(values))]
    return steps if max(steps) <= _LARGEST and min(steps) >= _SMALLEST else None


def _float_column(values: list[float]) -> Plain:
    """Whole numbers and whole millionths (microseconds) as such; else bytes of one weight beside each other."""
    if all(map(math.isfinite, values)):
        if all(map(float.is_integer, values)) and (steps := _steps([int(value) for value in values])) is not None:
            return [_WHOLE, steps]
        micros = [round(value * _MICRO) for value in values] if max(map(abs, values)) < _FINE else []
        if [micro / _MICRO for micro in micros] == values and (steps := _steps(micros)) is not None:
            return [_MICROS, steps]
    return [_FLOATS, _by_weight(array("d", values).tobytes())]


def _by_weight(content: bytes) -> bytes:
    """Words with all their first bytes first, then all second ones: those of one weight are alike."""
    return b"".join(content[weight::_WORD] for weight in range(_WORD))


def _by_place(content: bytes) -> bytes:
    """The words again."""
    number = len(content) // _WORD
    return b"".join(content[place::number] for place in range(number))


def _ring(values: list[bytes]) -> Plain | None:
    """Runs of numbers, newest first, each the one before with some more: what is new in each, and its length.

    None where they are no such runs.
    """
    if any(len(value) % _WORD for value in values):
        return None
    rings = [array("q", value) for value in values]
    stream: list[int] = []
    new, held = [], array("q")
    for ring in rings:
        more = _added(held, ring)
        stream += reversed(ring[:more])
        new.append(more)
        held = ring
    steps = _steps(stream) if stream else []
    if steps is None:
        return None
    folded = array("Q", [2 * step if step >= 0 else -2 * step - 1 for step in steps])
    return [new, [len(ring) for ring in rings], _by_weight(folded.tobytes())]


def _added(before: array[int], ring: array[int]) -> int:
    """How many numbers at its beginning are new, if the rest are those of the one before."""
    for more in range(len(ring)):
        if ring[more:] == before[: len(ring) - more]:
            return more
    return len(ring)


def _unring(new: Sequence[int], lengths: Sequence[int], content: bytes) -> list[bytes]:
    folded = array("Q", _by_place(content))
    stream = list(accumulate(step >> 1 if not step & 1 else -(step >> 1) - 1 for step in folded))
    held, after, rings, left = array("q"), 0, [], _MOST_RING_BYTES
    for more, length in zip(new, lengths, strict=True):
        held = array("q", stream[after : after + more][::-1]) + held[: length - more]
        after += more
        left -= len(held) * _WORD
        if left < 0:
            raise ValueError("longer runs than there can be")
        rings.append(held.tobytes())
    return rings


def dense(column: Plain) -> Plain:
    """The same column for whoever keeps it as it is: whole numbers take 8 bytes each then, in place of 40."""
    if type(column) is list and len(column) == 2 and type(column[1]) is list and column[0] != _ANY:
        with contextlib.suppress(TypeError, OverflowError):
            return [column[0], array("q", column[1])]
    return column


def uncolumn(column: Plain, number: int) -> Sequence[Plain]:
    """The ``number`` values again. Raises one of ``shapes.UNREADABLE``."""
    if not 0 <= number <= _MOST:
        raise ValueError("more than there can be")
    kind, content = column
    if kind == _SAME:
        return [content] * number
    if kind == _FLOATS:
        if len(content) != _WORD * number:
            raise ValueError("a column of another length")
        return list(array("d", _by_place(content)))
    if len(content[0] if kind == _RING else content) != number:
        raise ValueError("a column of another length")
    if kind == _INTS:
        return _summed(content)
    if kind == _WHOLE:
        return [float(value) for value in _summed(content)]
    if kind == _MICROS:
        return [micro / _MICRO for micro in _summed(content)]
    if kind == _RING:
        return _unring(*content)
    if kind == _ANY:
        values: Sequence[Plain] = content  # used by place, whatever it is
        return values
    raise ValueError(f"a column of kind {kind!r}")


def _summed(steps: Plain) -> list[int]:
    """The values of which these are the steps. Of texts it would make longer and longer ones."""
    if type(steps) is not array and (type(steps) is not list or not set(map(type, steps)) <= {int}):
        raise TypeError("no steps")
    return list(accumulate(steps))
