"""The report in plain words: no box drawing, no colour, nothing that a mail or a screen reader would trip over.

The rows are those of the panes, from ``memdash.tables``.
"""

from __future__ import annotations

from collections.abc import Iterator

from memdash.exports.exporter import parted
from memdash.exports.sections import heading, sections, unread, worded
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.table import DASH, Row, Table

__all__ = ["TEXT", "lines", "table_lines"]

_ROWS_SHOWN = 30


def lines(snapshot: Snapshot) -> Iterator[str]:
    """Yield the report line by line, without line ends."""
    yield from _head(snapshot)
    for section in sections(snapshot, _ROWS_SHOWN):
        yield ""
        yield plain(section.title)
        yield from (f"  {line}" for line in table_lines(section.table))
        if section.table.footnote:
            yield plain(f"  {section.table.footnote}")
    yield from _unread(snapshot)


def _head(snapshot: Snapshot) -> Iterator[str]:
    head = heading(snapshot)
    yield plain(", ".join((head.name, *head.facts)))
    yield plain(": ".join(head.subject))
    yield f"taken at {head.taken_at}"
    if head.verdict:
        yield plain(f"verdict: {head.verdict}")
    if head.alert:
        yield plain(head.alert)


def table_lines(table: Table) -> Iterator[str]:
    """Titles and rows in columns as wide as their widest cell; a missing figure says why at its line's end.

    Rows and columns that are all drawing are left out: sparklines and bars are for eyes. No line ends.
    """
    table = worded(table)
    if not table.rows:
        yield plain(table.empty)
        return
    titles = [column.title for column in table.columns]
    grid = [titles] if any(titles) else []
    grid += [[plain(cell.text) for cell in row.cells] for row in table.rows]
    widths = [max(map(len, texts)) for texts in zip(*grid, strict=True)]
    right = [column.right for column in table.columns]
    notes = [""] * (len(grid) - len(table.rows)) + [_reasons(row) for row in table.rows]
    for line, note in zip(grid, notes, strict=True):
        cells = [
            text.rjust(width) if to_the_right else text.ljust(width)
            for text, width, to_the_right in zip(line, widths, right, strict=True)
        ]
        yield f"{'  '.join(cells).rstrip()}{note}"


def _reasons(row: Row) -> str:
    return "".join(f"  ({plain(cell.note)})" for cell in row.cells if cell.text == DASH and cell.note)


def _unread(snapshot: Snapshot) -> Iterator[str]:
    """What could not be read at all, and what would help."""
    for number, lack in enumerate(unread(snapshot)):
        if not number:
            yield ""
            yield "Not read"
        yield plain(f"  {lack.name}: {lack.why}")
        if lack.hint:
            yield plain(f"    try: {lack.hint}")


TEXT = parted(lines, by="\n")
