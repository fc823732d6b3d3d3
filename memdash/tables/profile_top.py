"""What each function holds itself and with all that it calls."""

from __future__ import annotations

from memdash.pprof.top import Top, TopRow
from memdash.pprof.view import View
from memdash.tables.table import Cell, Column, Row, Table, Tone
from memdash.units import Unit, figure, ratio

__all__ = ["top_table"]

_COLUMNS = (
    Column("flat", "flat", 11, right=True),
    Column("flat_share", "flat%", 6, right=True, drop=2),
    Column("cum", "cum", 11, right=True),
    Column("cum_share", "cum%", 6, right=True, drop=1),
    Column("function", "function", 0, cut="function"),
)


def top_table(view: View, top: Top) -> Table:
    """A row a function, heaviest first."""
    unit = Unit.BYTES if view.sample_type.unit == "bytes" else Unit.COUNT
    rows = tuple(_row(row, view.total, unit) for row in top.rows)
    return Table("Top", _COLUMNS, rows, empty="" if rows else "nothing is held")


def _row(row: TopRow, total: int, unit: Unit) -> Row:
    return Row(
        row.frame.text,
        (
            Cell(figure(row.flat, unit), Tone.STRONG),
            Cell(_share(row.flat, total), Tone.FAINT),
            Cell(figure(row.cum, unit)),
            Cell(_share(row.cum, total), Tone.FAINT),
            Cell(row.frame.text),
        ),
    )


def _share(value: int, total: int) -> str:
    return ratio(value / total) if total else ""
