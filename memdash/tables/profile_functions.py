"""Functions of a profile to choose from."""

from __future__ import annotations

from collections.abc import Iterable

from memdash.model.profile import Frame
from memdash.pprof.costs import CostedFunction
from memdash.tables.profile_figures import ProfileFigures
from memdash.tables.table import Cell, Column, Row, Table, Tone

__all__ = ["functions_table", "place_of"]

_ROWS_AT_MOST = 500
_COLUMNS = (
    Column("flat", "flat", 11, right=True),
    Column("cum", "cum", 11, right=True),
    Column("function", "function", 0, cut="function", least=20),
    Column("file", "file", 40, cut="start", least=16, drop=1),
)


def functions_table(functions: Iterable[CostedFunction], figures: ProfileFigures, empty: str) -> Table:
    """A row a function, in the given order; ``empty`` says why there is none."""
    rows = [
        Row(
            f"{function.file}\0{function.name}",
            (
                Cell(figures.value(function.flat), Tone.STRONG if function.flat else Tone.FAINT),
                Cell(figures.value(function.cum)),
                Cell(function.name or function.file),
                Cell(function.file, Tone.FAINT),
            ),
        )
        for _, function in zip(range(_ROWS_AT_MOST), functions, strict=False)
    ]
    return Table("Functions", _COLUMNS, tuple(rows), empty)


def place_of(row: Row) -> Frame:
    """Which function stands in a row."""
    file, name = row.key.split("\0")
    return Frame(name, file, 0)
