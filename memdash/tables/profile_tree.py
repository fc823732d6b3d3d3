"""The calls that lead to what is held, as a tree of which a person opens branches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from enum import Enum
from heapq import nsmallest
from itertools import chain

from memdash.pprof.flame import Flame, FlameRow
from memdash.pprof.view import Frame
from memdash.tables.boxes import end_of, parents_of
from memdash.tables.profile_figures import SHARE_CELLS, VALUE_CELLS, ProfileFigures, standing, word_cell
from memdash.tables.table import Cell, Column, Row, Table, Tone

__all__ = ["MOST_MATCHES", "CallTree", "TreeOrder", "tree_table"]

MOST_MATCHES = 2000
"""Rows that match and are shown: of a whole tree of 50 000 stacks a letter matches hundreds of thousands."""


class TreeOrder(Enum):
    """What siblings are sorted by; the value is the column's key."""

    HELD = "held"
    OWN = "own"
    CHANGE = "change"
    FUNCTION = "function"


_SIZES: dict[TreeOrder, Callable[[FlameRow], int]] = {
    TreeOrder.HELD: lambda row: abs(row.held),
    TreeOrder.OWN: lambda row: abs(row.own),
    TreeOrder.CHANGE: lambda row: abs(row.held - row.base),
}


class CallTree:
    """A flame whose rows know what lies above and below them. ``keys`` name them from one flame to the next.

    ``inner`` are the rows below each that has any, ``outer`` the one above, -1 where there is none; ``is_turned`` says
    that what lies below a row are its callers. 0.2 s for 100 000 rows.
    """

    def __init__(self, flame: Flame, unit: str, total: int, *, is_difference: bool, is_turned: bool) -> None:
        self.flame = flame
        self.is_difference = is_difference
        self.is_turned = is_turned
        self.has_words = is_difference and any(standing(row.held, row.base) for row in flame.rows)
        self.figures = ProfileFigures(unit, total)
        self.changes = ProfileFigures(unit, total, is_signed=True)
        self.inner: dict[int, list[int]] = defaultdict(list)
        self.outer = parents_of(row.depth for row in flame.rows)
        self.keys: list[int] = []
        self._rows_of: dict[Frame, list[int]] = defaultdict(list)
        for number, (row, outer) in enumerate(zip(flame.rows, self.outer, strict=True)):
            self.keys.append(hash((self.keys[outer] if outer >= 0 else 0, row.frame)))
            self.inner[outer].append(number)
            self._rows_of[row.frame].append(number)
        self.roots = self.inner.pop(-1, [])
        self.inner.default_factory = None
        self._numbers = {key: number for number, key in enumerate(self.keys)}

    def number(self, key: str) -> int:
        """The row of that key; -1 where there is none."""
        return self._numbers.get(int(key), -1) if key else -1

    def rows_of(self, frame: Frame | None) -> Sequence[int]:
        """All rows of a frame."""
        return () if frame is None else self._rows_of.get(frame, ())

    def path_to(self, number: int) -> list[int]:
        """The rows from the root to this one."""
        path = [number]
        while (number := self.outer[number]) >= 0:
            path.append(number)
        return path[::-1]

    def hot_path(self, number: int = -1) -> list[int]:
        """The rows from one, or the heaviest root, on to what holds most, down to where no call holds more."""
        size, rows = _SIZES[self.order], self.flame.rows
        inner = self.roots if number < 0 else [number]
        path: list[int] = []
        while inner:
            number = max(inner, key=lambda inner: size(rows[inner]))
            if path and abs(rows[path[-1]].own) > size(rows[number]):
                break
            path.append(number)
            inner = self.inner.get(number, [])
        return path

    @property
    def order(self) -> TreeOrder:
        """By what it is read, unless a person wishes otherwise."""
        return TreeOrder.CHANGE if self.is_difference else TreeOrder.HELD

    def below(self, number: int) -> Iterator[int]:
        """The row, if anything lies below it, and all such rows below it."""
        end = end_of([row.depth for row in self.flame.rows], number)
        return (other for other in range(number, end) if other in self.inner)

    def visible(self, opened: Collection[int], order: TreeOrder, reverse: bool, leading: Collection[int]) -> list[int]:
        """The rows to be shown, in order: those whose branch is open, or those that are ``leading``, if any are."""
        shown: list[int] = []
        todo = self._sorted(self.roots, order, reverse)
        while todo:
            number = todo.pop()
            if leading and number not in leading:
                continue
            shown.append(number)
            if number in self.inner and (leading or self.keys[number] in opened):
                todo += self._sorted(self.inner[number], order, reverse)
        return shown

    def matching(self, wanted: str) -> Sequence[int]:
        """The rows whose function contains a text, whatever its case; no more than a person can look through."""
        needle = wanted.casefold()
        found = [rows for frame, rows in self._rows_of.items() if needle in frame.text.casefold()]
        return nsmallest(MOST_MATCHES, chain.from_iterable(found))

    def _sorted(self, numbers: list[int], order: TreeOrder, reverse: bool) -> list[int]:
        """As they are taken from the end."""
        rows = self.flame.rows
        if order is TreeOrder.FUNCTION:
            return sorted(numbers, key=lambda number: rows[number].frame.text, reverse=not reverse)
        size = _SIZES[order]
        return sorted(numbers, key=lambda number: (size(rows[number]), -number), reverse=reverse)


def tree_table(
    tree: CallTree, opened: Collection[int], order: TreeOrder, reverse: bool, wanted: str, empty: str
) -> Table:
    """A row a frame in its context, indented by how deep it lies; siblings from large to small."""
    found = frozenset(tree.matching(wanted)) if wanted else frozenset()
    leading = {outer for number in found for outer in tree.path_to(number)}
    numbers = tree.visible(opened, order, reverse, leading) if found or not wanted else []
    rows = tree.flame.rows
    size = _SIZES[tree.order]
    most = max((size(rows[number]) for number in tree.roots), default=0) or 1
    shown_open = {tree.outer[number] for number in leading or numbers}
    made = tuple(
        _row(tree, number, number in shown_open, size(rows[number]) / most, number in found) for number in numbers
    )
    if wanted and rows:
        empty = f"no function matches {wanted!r}"
    return Table("Tree", _columns(tree), made, empty)


def _columns(tree: CallTree) -> tuple[Column, ...]:
    columns = [
        Column("held", "held", VALUE_CELLS, right=True),
        Column("held%", "held%", SHARE_CELLS, right=True, drop=3),
    ]
    if not tree.is_turned:
        columns.append(Column("own", "own", VALUE_CELLS, right=True, drop=2))
    if tree.is_difference:
        columns.append(Column("change", "change", VALUE_CELLS, right=True))
    if tree.has_words:
        columns.append(Column("word", "", 4, drop=1))
    title = "callers" if tree.is_turned else "calls"
    return (*columns, Column("bar", "", 10, least=4, drop=4), Column("function", title, 0, cut="function", least=34))


def _row(tree: CallTree, number: int, is_open: bool, bar: float, is_found: bool) -> Row:
    def cells() -> tuple[Cell, ...]:
        row = tree.flame.rows[number]
        made = [tree.figures.cell(row.held, Tone.STRONG), Cell(tree.figures.share(row.held), Tone.FAINT)]
        if not tree.is_turned:
            made.append(tree.figures.cell(row.own))
        if tree.is_difference:
            made.append(tree.changes.cell(row.held - row.base))
        if tree.has_words:
            made.append(word_cell(standing(row.held, row.base)))
        mark = "  " if number not in tree.inner else "▾ " if is_open else "▸ "
        tone = Tone.STRONG if is_found else Tone.PLAIN
        return (*made, Cell(bar=bar), Cell(row.frame.text, tone, lead=" " * row.depth + mark))

    return Row(str(tree.keys[number]), cells)
