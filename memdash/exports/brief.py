"""A snapshot in few lines of plain words: a screenful of it, or what is kept up to date on a line or two.

No line is longer than the screen is wide, in cells: one that wraps would take the place of another.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from textwrap import wrap

from memdash.exports.text import table_lines
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.alerts import alerts_table
from memdash.tables.headline import headline
from memdash.tables.memstats import memstats_table
from memdash.tables.objects import objects_table
from memdash.tables.sites import sites_table
from memdash.tables.table import DASH, Table
from memdash.tables.tasks import has_tasks, tasks_table
from memdash.tables.verdict import alert_words, calm_words
from memdash.tables.vitals import VITAL, gc_line

__all__ = ["cells", "cut", "few_lines", "screenful"]

_FIGURES, _SITES, _TASKS, _ALERTS = 8, 4, 3, 3
"""Rows of a screenful: at least so many figures, at most so many of the others."""

_ELLIPSIS, _NOTHING = "…", ("", DASH, "0")

_OF_MOST = ("HeapAlloc", "system.rss_bytes")
_LESS = tuple(key for key in VITAL if key != "Sys")
_SHORT = {"gc.live_after_gc_bytes": "live"}
_WORDINGS: tuple[tuple[Sequence[str], Sequence[str], Mapping[str, str]], ...] = (
    (VITAL, VITAL, {}),
    (VITAL, _OF_MOST, {}),
    (VITAL, _OF_MOST, _SHORT),
    (_LESS, _OF_MOST, _SHORT),
    (_LESS, (), _SHORT),
)
"""Keys of the figures shown, of those with their changes, and names other than their own; the fullest first."""


def few_lines(snapshot: Snapshot, width: int) -> list[str]:
    """Who it is and how it stands, its figures with their changes, its collections, the site that holds most."""
    lines = [_head(snapshot), _standing(snapshot), _fitting(_figures(snapshot), width), gc_line(snapshot)]
    if (sites := sites_table(snapshot)).rows:
        lines.append(_fitting(_site(sites), width))
    return [cut(plain(line), width) for line in lines if line]


def screenful(snapshot: Snapshot, width: int, height: int) -> list[str]:
    """As much of what matters as ``height`` lines hold: what is left over is for the figures of the memory."""
    below = ["", plain(gc_line(snapshot))]
    below += _section(_holders(snapshot).first(_SITES), width)
    if has_tasks(snapshot):
        below += _section(tasks_table(snapshot).first(_TASKS), width)
    below += _section(alerts_table(snapshot).first(_ALERTS), width)
    above = [plain(line) for line in (_head(snapshot), _standing(snapshot)) if line]
    room = max(height - len(above) - len(below) - 2, _FIGURES)
    lines = [*above, "", *table_lines(memstats_table(snapshot).first(room - 1)), *below]
    return [cut(line, width) for line in lines[:height]]


def cells(text: str) -> int:
    """How many cells of a terminal a line takes."""
    return len(text) if text.isascii() else sum(_cells(character) for character in text)


def cut(text: str, width: int) -> str:
    """As much of a line as ``width`` cells hold, with an ellipsis where something is lost."""
    if cells(text) <= width:
        return text
    kept, room = [], width - 1
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        kept.append(character)
    return "".join((*kept, _ELLIPSIS))


def _cells(character: str) -> int:
    return 0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")


def _head(snapshot: Snapshot) -> str:
    head = headline(snapshot)
    parts = (head.word, head.name, head.pid, head.runtime, head.source, head.uptime, head.pace, head.armed, head.detail)
    return " · ".join(part for part in parts if part)


def _standing(snapshot: Snapshot) -> str:
    worst = headline(snapshot).worst
    if worst is not None:
        return alert_words(worst)
    return calm_words(snapshot) or ("" if snapshot.verdict is None else snapshot.verdict.summary)


def _fitting(wordings: Iterable[str], width: int) -> str:
    """The first that has room, else the last: they come from the fullest to the shortest."""
    shown = ""
    for shown in map(plain, wordings):
        if cells(shown) <= width:
            break
    return shown


def _figures(snapshot: Snapshot) -> Iterator[str]:
    rows = [row for row in memstats_table(snapshot).rows if row.key in VITAL and row.cells[1].text != DASH]
    for kept, changing, names in _WORDINGS:
        parts = []
        for row in rows:
            name, value, change, *_ = (cell.text for cell in row.cells)
            texts = (names.get(row.key, name), value, change if row.key in changing else "")
            if row.key in kept:
                parts.append(" ".join(text for text in texts if text not in _NOTHING))
        yield " · ".join(parts) or DASH


def _site(table: Table) -> Iterator[str]:
    """What the site that holds most holds, its share of all, how that has changed, objects, function and place."""
    texts = {column.key: cell.text for column, cell in zip(table.columns, table.rows[0].cells, strict=True)}
    objects, change, function, where = (texts[key] for key in ("objects", "change", "function", "where"))
    figures = f"top site {texts['figure']} ({texts['share']} %)"
    changed = [] if change in _NOTHING else [f"Δ {change}"]
    for short in (function, function.rpartition("/")[2]):
        yield " · ".join((figures, *changed, f"{objects} objects", f"{short} {where}"))
        yield " · ".join((figures, *changed, f"{short} {where}"))
        yield " · ".join((figures, *changed, short))


def _holders(snapshot: Snapshot) -> Table:
    """What holds memory: sites, or types where a program keeps no record of its allocations, as in the dashboard."""
    if isinstance(snapshot.groups, Missing) and not isinstance(snapshot.objects, Missing):
        return replace(objects_table(snapshot), footnote=snapshot.groups.words)
    return sites_table(snapshot)


def _section(table: Table, width: int) -> Iterator[str]:
    """Its rows, and in whole sentences what is said in place of them, or below them."""
    yield ""
    yield plain(table.title)
    if table.rows:
        yield from table_lines(table)
    for words in (table.footnote,) if table.rows else (table.empty, table.footnote):
        yield from wrap(plain(words), max(width, 1))
