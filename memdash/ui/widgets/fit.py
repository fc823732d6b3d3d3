"""A table's columns into the width at hand."""

from __future__ import annotations

from functools import lru_cache

from memdash.tables.table import Column

__all__ = ["fitted"]

GAP = 2
_NARROW_GAP = 1
_NARROW = 100
_REST_AT_LEAST = 8


@lru_cache(maxsize=64)
def fitted(columns: tuple[Column, ...], width: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """The (index, cells) of the columns to show, in order, and the cells between two of them.

    Columns first shrink from ``width`` to ``least``; if that is not enough those with the highest ``drop`` go, one by
    one. A column of width 0 takes the rest.
    """
    gap = GAP if width >= _NARROW else _NARROW_GAP
    kept = list(range(len(columns)))
    excess = 0
    while True:
        excess = (
            sum(columns[i].width or max(columns[i].least, _REST_AT_LEAST) for i in kept) + gap * (len(kept) - 1) - width
        )
        shrinkable = sum(columns[i].width - columns[i].least for i in kept if columns[i].width and columns[i].least)
        dispensable = max(kept, key=lambda i: columns[i].drop, default=-1)
        if excess <= shrinkable or dispensable < 0 or columns[dispensable].drop == 0:
            break
        kept.remove(dispensable)
    cells = {i: columns[i].width for i in kept}
    for i in kept:
        column = columns[i]
        if excess > 0 and column.width and column.least:
            given = min(excess, column.width - column.least)
            cells[i] -= given
            excess -= given
    rest = max(width - sum(cells.values()) - gap * (len(kept) - 1), 0)
    flexible = [i for i in kept if columns[i].width == 0]
    for number, i in enumerate(flexible):
        cells[i] = rest // len(flexible) + (1 if number < rest % len(flexible) else 0)
    return tuple((i, cells[i]) for i in kept if cells[i] > 0), gap
