"""Rows of cells that say what they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal, NamedTuple

from memdash.model.finding import Severity

__all__ = ["DASH", "Cell", "Column", "Row", "Span", "Table", "Tone"]

DASH = "–"
"""Stands where a figure is Missing; the reason is the cell's ``note``."""


class Tone(Enum):
    """What a cell means; the screen chooses the colour, a report may ignore it."""

    PLAIN = "plain"
    STRONG = "strong"
    FAINT = "faint"
    GROWS = "grows"
    SHRINKS = "shrinks"
    GOOD = "good"
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @classmethod
    def of_change(cls, change: float) -> Tone:
        """What a change says by its sign; none says nothing."""
        return cls.GROWS if change > 0 else cls.SHRINKS if change < 0 else cls.FAINT

    @classmethod
    def of_severity(cls, severity: Severity) -> Tone:
        """How bad a finding is."""
        return (cls.GOOD, cls.INFO, cls.WARNING, cls.CRITICAL)[severity]


class Span(NamedTuple):
    """A piece of a bar, from ``start`` to ``end``, both shares of the whole (0 to 1); it takes away if that is less.

    ``mark`` is a place on the bar that all rows refer to.
    """

    start: float
    end: float
    mark: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. ``text`` may come from the target: show it, never interpret it.

    ``spark`` (oldest first, NaN for gaps) asks for a sparkline instead of text, ``bar`` (0 to 1) for a bar, ``span``
    for a piece of one. ``sort`` is what the column sorts by; ``note`` explains, such as why a figure is missing.
    ``lead`` stands before the text, like the indent of a tree: it is no part of what is cut.
    """

    text: str = ""
    tone: Tone = Tone.PLAIN
    sort: float | str = ""
    spark: tuple[float, ...] = ()
    bar: float | None = None
    span: Span | None = None
    note: str = ""
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` in cells holds every figure of the column; 0 takes the rest of the line.

    ``cut`` says where a text that does not fit loses characters: figures never do, paths at the start, functions the
    folders of their package and then the middle, sentences at the end. On a line that is too short, a column shrinks to
    ``least`` (0: it does not), then the columns with the highest ``drop`` go (0: it stays).
    """

    key: str
    title: str
    width: int
    right: bool = False
    cut: Literal["start", "middle", "end", "function"] = "end"
    least: int = 0
    drop: int = 0


class Row:
    """``key`` names the row across refreshes: a cursor stays on it.

    ``cells`` may be given as a function that makes them: it is called when they are first looked at, so rows out of
    view cost next to nothing. Two rows are equal when key and cells are.
    """

    __slots__ = ("_cells", "key")

    def __init__(self, key: str, cells: tuple[Cell, ...] | Callable[[], tuple[Cell, ...]]) -> None:
        self.key = key
        self._cells = cells

    @property
    def cells(self) -> tuple[Cell, ...]:
        """One cell a column."""
        if callable(self._cells):
            self._cells = self._cells()
        return self._cells

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and self.key == other.key and self.cells == other.cells

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"Row({self.key!r}, {self.cells!r})"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows; each row has one cell a column. ``empty`` says why there are no rows.

    ``footnote`` is a sentence to be said below the rows.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    empty: str = ""
    footnote: str = ""

    def first(self, rows: int) -> Table:
        """No more than so many of its rows."""
        return replace(self, rows=self.rows[:rows])
