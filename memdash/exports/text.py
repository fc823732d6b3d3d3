"""The report in plain words: no box drawing, no colour, nothing that a mail or a screen reader would trip over.

The rows are those of the panes, from ``memdash.tables``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.alerts import alerts_table, dropped_words
from memdash.tables.caveats import caveat_words
from memdash.tables.family import family_table, totals_words
from memdash.tables.gc import gc_table
from memdash.tables.headline import headline
from memdash.tables.memstats import memstats_table
from memdash.tables.objects import objects_table
from memdash.tables.residence import age_words, mappings_table, residence_table
from memdash.tables.sites import sites_table
from memdash.tables.table import DASH, Row, Table
from memdash.tables.tasks import has_tasks, tasks_table
from memdash.units import iso_time

__all__ = ["TEXT", "lines", "table_lines"]

_ROWS_SHOWN = 30
_MAPPINGS_SHOWN = 12


def lines(snapshot: Snapshot) -> Iterator[str]:
    """Yield the report line by line, without line ends."""
    yield from _head(snapshot)
    yield from _section(memstats_table(snapshot), caveat_words(snapshot, Capability.MEMSTATS))
    yield from _section(gc_table(snapshot), caveat_words(snapshot, Capability.GC))
    family = snapshot.sample.family
    if not isinstance(family, Missing) and family.is_tree:
        yield from _section(replace(family_table(family), title=f"Process tree, {totals_words(family)}"))
    yield from _residence(snapshot)
    yield from _section(_largest(sites_table(snapshot)), caveat_words(snapshot, Capability.SITES))
    if not isinstance(snapshot.objects, Missing):
        yield from _section(_largest(objects_table(snapshot)), caveat_words(snapshot, Capability.OBJECTS))
    if has_tasks(snapshot):
        yield from _section(_largest(tasks_table(snapshot)), caveat_words(snapshot, Capability.TASKS))
    yield from _section(alerts_table(snapshot), dropped_words(snapshot))
    yield from _unread(snapshot)


def _residence(snapshot: Snapshot) -> Iterator[str]:
    """Where RSS comes from, and the largest mappings behind it."""
    if isinstance(snapshot.residence, Missing):
        return
    table = residence_table(snapshot)
    yield from _section(table, age_words(snapshot))
    if table.footnote:
        yield plain(f"  {table.footnote}")
    mappings = mappings_table(snapshot)
    yield from _section(replace(mappings, rows=mappings.rows[:_MAPPINGS_SHOWN]))


def _head(snapshot: Snapshot) -> Iterator[str]:
    head = headline(snapshot)
    parts = (head.name, head.pid, head.runtime, head.source, head.uptime, head.word, head.detail)
    yield plain(", ".join(part for part in parts if part))
    if snapshot.target.is_local:
        yield plain(f"command: {' '.join(snapshot.target.argv) or snapshot.target.exe}")
    else:
        yield plain(f"asked at: {snapshot.target.url}")
    yield f"taken at {iso_time(snapshot.at.wall_s)}"
    verdict = snapshot.verdict
    if verdict is not None and (head.worst is None or head.worst.summary != verdict.summary):
        yield plain(f"verdict: {verdict.summary}")
    if head.worst is not None:
        yield plain(f"{head.worst.severity.word}: {head.worst.summary}")


def table_lines(table: Table) -> Iterator[str]:
    """Titles and rows in columns as wide as their widest cell; a missing figure says why at its line's end.

    Rows and columns that are all drawing are left out: sparklines and bars are for eyes. No line ends.
    """
    rows = [row for row in table.rows if any(cell.text for cell in row.cells[1:])]
    if not rows:
        yield plain(table.empty)
        return
    written = [index for index in range(len(table.columns)) if any(row.cells[index].text for row in rows)]
    titles = [table.columns[index].title for index in written]
    grid = [titles] if any(titles) else []
    grid += [[plain(row.cells[index].text) for index in written] for row in rows]
    widths = [max(len(line[place]) for line in grid) for place in range(len(written))]
    right = [table.columns[index].right for index in written]
    notes = [""] * (len(grid) - len(rows)) + [_reasons(row) for row in rows]
    for line, note in zip(grid, notes, strict=True):
        cells = [
            text.rjust(width) if to_the_right else text.ljust(width)
            for text, width, to_the_right in zip(line, widths, right, strict=True)
        ]
        yield f"{'  '.join(cells).rstrip()}{note}"


def _section(table: Table, remark: str = "") -> Iterator[str]:
    yield ""
    yield plain(f"{table.title} ({remark})" if remark else table.title)
    yield from (f"  {line}" for line in table_lines(table))


def _reasons(row: Row) -> str:
    return "".join(f"  ({plain(cell.note)})" for cell in row.cells if cell.text == DASH and cell.note)


def _largest(table: Table) -> Table:
    return replace(table, rows=table.rows[:_ROWS_SHOWN])


def _unread(snapshot: Snapshot) -> Iterator[str]:
    """What could not be read at all, and what would help."""
    if not snapshot.missing:
        return
    yield ""
    yield "Not read"
    for capability, missing in snapshot.missing.items():
        yield plain(f"  {capability.value}: {missing.why}")
        if missing.hint:
            yield plain(f"    try: {missing.hint}")


@dataclass(frozen=True, slots=True)
class _Text:
    """The exporter: reports separated by an empty line."""

    name: str = "text"
    suffix: str = ".txt"

    def write(self, snapshots: Iterable[Snapshot], out: BinaryIO) -> None:
        """Write each snapshot as UTF-8."""
        for number, snapshot in enumerate(snapshots):
            text = "\n".join(lines(snapshot))
            out.write(("\n" * bool(number) + text + "\n").encode())


TEXT = _Text()
