"""Functions of a profile to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from memdash.pprof.costs import CostedFunction
from memdash.pprof.view import View
from memdash.tables.table import Cell, Column, Row, Table, Tone
from memdash.units import Unit, figure, signed

__all__ = ["functions_table", "unit_of"]

_ROWS_AT_MOST = 500
_COLUMNS = (
    Column("flat", "flat", 11, right=True),
    Column("cum", "cum", 11, right=True),
    Column("function", "function", 0, cut="function", least=20),
    Column("file", "file", 40, cut="start", least=16, drop=1),
)


def unit_of(view: View) -> Unit:
    """What its values count."""
    return Unit.BYTES if view.sample_type.unit == "bytes" else Unit.COUNT


def functions_table(functions: Iterable[CostedFunction], unit: Unit, empty: str, *, is_change: bool = False) -> Table:
    """A row a function, in the given order; ``empty`` says why there is none. Changes bear their sign."""
    write: Callable[[float, Unit], str] = signed if is_change else figure
    rows = [
        Row(
            f"{function.file}\0{function.name}",
            (
                Cell(write(function.flat, unit), Tone.STRONG if function.flat else Tone.FAINT),
                Cell(write(function.cum, unit)),
                Cell(function.name or function.file),
                Cell(function.file, Tone.FAINT),
            ),
        )
        for _, function in zip(range(_ROWS_AT_MOST), functions, strict=False)
    ]
    return Table("Functions", _COLUMNS, tuple(rows), empty)
