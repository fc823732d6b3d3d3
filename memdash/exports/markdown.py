"""The report as GitHub's Markdown: for an issue, a pull request or a wiki.

Whatever comes from the target is escaped, so that nothing in it is markup, a link, a mention of somebody or the number
of an issue. Names and paths stand as code, where all of that means nothing anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from memdash.exports.exporter import parted
from memdash.exports.sections import Section, heading, reasons, sections, unread, worded
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.table import Cell, Column

__all__ = ["MARKDOWN", "lines"]

_ROWS_SHOWN = 30
_CODE = frozenset({"function", "where", "type", "process", "name"})
"""Columns of names and paths, in all tables but those whose first column is a label of ours."""

_OURS = frozenset({"memstats", "gc"})
_MARKS = re.compile(r"[\\`*_\[\]<>|~$]")
_BEGINNINGS = re.compile(r"^(?:\d*(?=[.)])|(?=[-+=#]))")
_CALLS = re.compile(r"(?<=@)(?=\w)|(?<=#)(?=\d)|(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=:)(?=[\w+-]+:)", re.IGNORECASE)
"""Between ``@`` and a name, ``#`` and a number, a scheme and its slashes, ``:`` and the word of an emoji."""


def lines(snapshot: Snapshot) -> Iterator[str]:
    """Yield the report line by line, without line ends."""
    head = heading(snapshot)
    yield f"# {_words(head.name)}"
    yield ""
    if head.alert or head.verdict:
        yield from (f"> **{_words(words)}**" for words in (head.alert, head.verdict) if words)
        yield ""
    label, subject = head.subject
    yield f"- {_line(' · '.join(head.facts))}"
    yield f"- {label}: {_code(subject)}"
    yield f"- taken at {head.taken_at}"
    for section in sections(snapshot, _ROWS_SHOWN):
        yield ""
        yield from _section(section)
    lacks = unread(snapshot)
    if lacks:
        yield ""
        yield "## Not read"
        yield ""
    for lack in lacks:
        yield f"- {_line(lack.name)}: {_words(lack.why)}" + (f"; try: {_words(lack.hint)}" if lack.hint else "")


def _section(section: Section) -> Iterator[str]:
    """A heading and a table; columns that are drawings are left out, reasons for dashes follow."""
    table = worded(section.table)
    yield f"## {_words(table.title)}"
    yield ""
    if section.caveats:
        yield _line(section.caveats)
        yield ""
    if not table.rows:
        yield _line(table.empty)
        return
    yield _row(_words(column.title) for column in table.columns)
    yield _row("---:" if column.right else ":---" for column in table.columns)
    as_code = _CODE - {"name"} if section.key in _OURS else _CODE
    for row in table.rows:
        yield _row(_cell(cell, column, as_code) for cell, column in zip(row.cells, table.columns, strict=True))
    for words in (*reasons(section.table), table.footnote):
        if words:
            yield ""
            yield _line(words)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell, column: Column, as_code: frozenset[str]) -> str:
    """A bar must be escaped even in code: the table comes first."""
    return _code(cell.text).replace("|", r"\|") if column.key in as_code else _words(cell.text)


def _words(text: str) -> str:
    """Text in which nothing is markup."""
    escaped = _MARKS.sub(r"\\\g<0>", _apart(plain(text).strip()))
    return escaped.replace("&", "&amp;").replace("\0", "<!-- -->")


def _line(text: str) -> str:
    """Such text where a line begins: no list, no heading."""
    return _BEGINNINGS.sub(r"\g<0>\\", _words(text), count=1)


def _apart(text: str) -> str:
    """An empty comment, for now a zero, where GitHub would take two characters together for a call."""
    return _CALLS.sub("\0", text)


def _code(text: str) -> str:
    """Text as code, fenced by more backticks than it has in a row."""
    shown = plain(text).strip()
    if not shown:
        return ""
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence, room = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{room}{shown}{room}{fence}"


MARKDOWN = parted(lines, by="\n---\n\n")
