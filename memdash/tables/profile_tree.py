"""The calls that lead to what is held, as a tree of which a person opens branches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from enum import Enum

from memdash.pprof.flame import Flame, FlameRow
from memdash.pprof.view import Frame
from memdash.tables.profile_figures import ProfileFigures, standing
from memdash.tables.table import Cell, Column, Row, Table, Tone

__all__ = ["CallTree", "TreeOrder", "tree_table"]


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

    ``inner`` are the rows below each, ``outer`` the one above, -1 where there is none; ``is_turned`` says that what
    lies below a row are its callers. 0.1 s for 100 000 rows.
    """

    def __init__(self, flame: Flame, unit: str, total: int, *, is_difference: bool, is_turned: bool) -> None:
        self.flame = flame
        self.is_difference = is_difference
        self.is_turned = is_turned
        values = [row.own or row.held for row in flame.rows]
        self.figures = ProfileFigures(unit, total, values)
        self.changes = ProfileFigures(unit, total, values, is_signed=True)
        self.inner: list[list[int]] = [[] for _ in flame.rows]
        self.outer: list[int] = []
        self.roots: list[int] = []
        self.keys: list[str] = []
        above: list[int] = []
        for number, row in enumerate(flame.rows):
            del above[row.depth :]
            outer = above[-1] if above else -1
            self.outer.append(outer)
            self.keys.append(str(hash((self.keys[outer] if above else "", row.frame))))
            (self.inner[outer] if above else self.roots).append(number)
            above.append(number)
        self.numbers = {key: number for number, key in enumerate(self.keys)}

    def frame(self, key: str) -> Frame:
        """The frame in the row of that key."""
        return self.flame.rows[self.numbers[key]].frame

    def hot_path(self, key: str = "") -> list[str]:
        """The keys from a row, or the heaviest root, on to what holds most, down to where no call holds more."""
        order = TreeOrder.CHANGE if self.is_difference else TreeOrder.HELD
        inner = [self.numbers[key]] if key else self._heaviest(self.roots, order)
        path: list[str] = []
        while inner:
            number = inner[0]
            path.append(self.keys[number])
            inner = self._heaviest(self.inner[number], order)
            if inner and abs(self.flame.rows[number].own) > _SIZES[order](self.flame.rows[inner[0]]):
                break
        return path

    def _heaviest(self, numbers: list[int], order: TreeOrder) -> list[int]:
        rows = self.flame.rows
        return [max(numbers, key=lambda number: _SIZES[order](rows[number]))] if numbers else []

    def below(self, key: str) -> Iterator[str]:
        """The keys of a row and of all below it that have something below themselves."""
        first = self.numbers[key]
        depth = self.flame.rows[first].depth
        for number in range(first, len(self.keys)):
            if number > first and self.flame.rows[number].depth <= depth:
                return
            if self.inner[number]:
                yield self.keys[number]

    def visible(self, opened: Collection[str], order: TreeOrder, reverse: bool, wanted: str) -> list[int]:
        """The rows to be shown, in order: those whose branch is open, or those that lead to what is ``wanted``."""
        leading = self._leading_to(wanted) if wanted else None
        shown: list[int] = []
        todo = self._sorted(self.roots, order, reverse)
        while todo:
            number = todo.pop()
            if leading is not None and not leading[number]:
                continue
            shown.append(number)
            if self.inner[number] and (leading is not None or self.keys[number] in opened):
                todo += self._sorted(self.inner[number], order, reverse)
        return shown

    def matches(self, wanted: str) -> set[Frame]:
        """The frames that contain a text, whatever its case."""
        needle = wanted.casefold()
        return {frame for frame in {row.frame for row in self.flame.rows} if needle in frame.text.casefold()}

    def _leading_to(self, wanted: str) -> list[bool]:
        found = self.matches(wanted)
        leading = [row.frame in found for row in self.flame.rows]
        for number in range(len(leading) - 1, -1, -1):
            if leading[number] and self.outer[number] >= 0:
                leading[self.outer[number]] = True
        return leading

    def _sorted(self, numbers: list[int], order: TreeOrder, reverse: bool) -> list[int]:
        """As they are taken from the end."""
        rows = self.flame.rows
        if order is TreeOrder.FUNCTION:
            return sorted(numbers, key=lambda number: rows[number].frame.text, reverse=not reverse)
        size = _SIZES[order]
        return sorted(numbers, key=lambda number: (size(rows[number]), -number), reverse=reverse)


def tree_table(
    tree: CallTree, opened: Collection[str], order: TreeOrder, reverse: bool, wanted: str, empty: str
) -> Table:
    """A row a frame in its context, indented by how deep it lies; siblings from large to small."""
    numbers = tree.visible(opened, order, reverse, wanted)
    rows = tree.flame.rows
    bar_of = TreeOrder.CHANGE if tree.is_difference else TreeOrder.HELD
    most = max((_SIZES[bar_of](row) for row in rows if not row.depth), default=0)
    found = tree.matches(wanted) if wanted else set()
    open_now = frozenset(tree.keys) if wanted else opened
    made = tuple(_row(tree, number, open_now, _SIZES[bar_of](rows[number]) / (most or 1), found) for number in numbers)
    if wanted and rows:
        empty = f"no function matches {wanted!r}"
    return Table("Tree", _columns(tree), made, empty="" if made else empty)


def _columns(tree: CallTree) -> tuple[Column, ...]:
    rows = tree.flame.rows
    width = max(tree.figures.width_of(row.held for row in rows), 8)
    columns = [Column("held", "held", width, right=True), Column("held%", "held%", 6, right=True, drop=3)]
    if not tree.is_turned:
        columns.append(Column("own", "own", width, right=True, drop=2))
    if tree.is_difference:
        changes = max(tree.changes.width_of(row.held - row.base for row in rows), 8)
        columns += [Column("change", "change", changes, right=True), Column("word", "", 4, drop=1)]
    title = "callers" if tree.is_turned else "calls"
    return (*columns, Column("bar", "", 10, least=4, drop=4), Column("function", title, 0, cut="function", least=24))


def _row(tree: CallTree, number: int, opened: Collection[str], bar: float, found: Collection[Frame]) -> Row:
    row, key = tree.flame.rows[number], tree.keys[number]
    mark = "  " if not tree.inner[number] else "▾ " if key in opened else "▸ "

    def cells() -> tuple[Cell, ...]:
        made = [tree.figures.cell(row.held, Tone.STRONG), Cell(tree.figures.share(row.held), Tone.FAINT)]
        if not tree.is_turned:
            made.append(tree.figures.cell(row.own))
        if tree.is_difference:
            word = standing(row.held, row.base)
            made += [
                tree.changes.cell(row.held - row.base),
                Cell(word, Tone.GROWS if word == "new" else Tone.SHRINKS),
            ]
        tone = Tone.STRONG if row.frame in found else Tone.PLAIN
        return (*made, Cell(bar=bar), Cell(row.frame.text, tone, lead=" " * row.depth + mark))

    return Row(key, cells)
