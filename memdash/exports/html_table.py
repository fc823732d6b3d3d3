"""A table in a page: figures, bars, pieces of a bar and sparklines, without a script.

Five hundred rows are to stay under 300 KB, so a cell says no more than it must: classes are a letter or two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from memdash.exports.sections import reasons
from memdash.plain import plain
from memdash.tables.table import Cell, Column, Table, Tone

__all__ = ["safe", "table_parts"]

_TONES = {
    Tone.PLAIN: "",
    Tone.STRONG: "st",
    Tone.FAINT: "fa",
    Tone.GROWS: "gr",
    Tone.SHRINKS: "sh",
    Tone.GOOD: "go",
    Tone.INFO: "in",
    Tone.WARNING: "wa",
    Tone.CRITICAL: "cr",
}
_LONGEST = 400
"""Characters of a cell; a name may be as long as its program likes."""

_WIDE = 30
"""Wider columns, and those that take what is left, break their words; figures and places never do."""

_SPARK_POINTS, _SPARK_WIDTH, _SPARK_HEIGHT = 24, 48, 12
_SPARKS_AT_MOST = 100
"""Rows below have none: each takes as much as all else in its row."""


def safe(text: str) -> str:
    """Text that is nothing but text, in a page as on a terminal; also between the quotes of an attribute."""
    return escape(plain(text))


def table_parts(table: Table) -> Iterator[str]:
    """The element, and below it what its dashes and its footnote say; or why it has no rows."""
    columns = [number for number in range(len(table.columns)) if _is_drawn(table, number)]
    if not table.rows or not columns:
        yield f'<p class="fa">{safe(table.empty)}</p>'
        return
    yield '<div class="scroll"><table>'
    if any(table.columns[number].title for number in columns):
        yield f"<thead><tr>{''.join(_title(table.columns[number]) for number in columns)}</tr></thead>"
    yield "<tbody>"
    for place, row in enumerate(table.rows):
        cells = row.cells
        yield f"<tr>{''.join(_cell(cells[n], table.columns[n], place) for n in columns)}</tr>"
    yield "</tbody></table></div>"
    notes = [*reasons(table), *([table.footnote] if table.footnote else [])]
    if notes:
        yield f'<p class="notes">{"<br>".join(map(safe, notes))}</p>'


def _is_drawn(table: Table, number: int) -> bool:
    cells = (row.cells[number] for row in table.rows)
    return any(cell.text or cell.spark or cell.bar is not None or cell.span is not None for cell in cells)


def _title(column: Column) -> str:
    return f"<th{' class=r' if column.right else ''}>{safe(column.title)}</th>"


def _cell(cell: Cell, column: Column, place: int) -> str:
    if cell.span is not None:
        left, right = sorted((cell.span.start, cell.span.end))
        tone = _TONES[cell.tone]
        return (
            f'<td class=b><i class="{tone}" style="margin-left:{100 * left:.1f}%;width:{100 * (right - left):.1f}%">'
            f'</i><b style="left:{100 * cell.span.mark:.1f}%"></b></td>'
        )
    if cell.bar is not None:
        return f"<td class=b><i style=width:{100 * min(max(cell.bar, 0.0), 1.0):.0f}%></i></td>"
    if cell.spark:
        return f"<td class=k>{_spark(cell.spark) if place < _SPARKS_AT_MOST else ''}</td>"
    wide = not column.right and (column.width == 0 or column.width > _WIDE)
    looks = " ".join(filter(None, ("r" if column.right else "w" if wide else "", _TONES[cell.tone])))
    given = (f' class="{looks}"' if " " in looks else f" class={looks}") if looks else ""
    title = f' title="{safe(cell.note[:_LONGEST])}"' if cell.note and cell.note != cell.text else ""
    indent = len(cell.text) - len(cell.text.lstrip(" "))
    words = cell.text.strip()
    shown = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
    return f"<td{given}{title}>{'&emsp;' * (indent // 2)}{safe(cell.lead + shown)}</td>"


def _spark(values: Sequence[float]) -> str:
    """From the lowest to the highest, as on the screen; a line that is flat lies at the bottom."""
    step = max(len(values) / _SPARK_POINTS, 1.0)
    chosen = [values[min(round((n + 1) * step) - 1, len(values) - 1)] for n in range(min(_SPARK_POINTS, len(values)))]
    known = [value for value in chosen if not math.isnan(value)]
    if len(known) < 2:
        return ""
    low, size = min(known), (max(known) - min(known)) or math.inf
    width = _SPARK_WIDTH / (len(chosen) - 1)
    pen, path = "M", ""
    for x, value in enumerate(chosen):
        if math.isnan(value):
            pen = "M"
            continue
        path += f"{pen}{width * x:.0f} {_SPARK_HEIGHT - (_SPARK_HEIGHT - 1) * (value - low) / size:.0f}"
        pen = "L"
    return f'<svg viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT + 1}"><path d="{path}"/></svg>'
