"""What a report says, in its order: a heading, and sections that are tables. Each format writes the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import compress

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.tables.alerts import alerts_table, dropped_words
from memdash.tables.caveats import caveat_words
from memdash.tables.family import family_table, totals_words
from memdash.tables.gc import gc_table, mean_pause
from memdash.tables.headline import headline
from memdash.tables.memstats import memstats_table
from memdash.tables.objects import objects_table
from memdash.tables.residence import age_words, mappings_table, residence_table
from memdash.tables.sites import sites_table
from memdash.tables.table import DASH, Row, Table
from memdash.tables.tasks import has_tasks, tasks_table
from memdash.tables.verdict import unsaid_verdict
from memdash.units import iso_time

__all__ = ["Heading", "Section", "Unread", "heading", "reasons", "sections", "unread", "worded"]

_MAPPINGS_SHOWN = 12
_OTHERS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Heading:
    """Who the report is about, and the words that come first. ``facts`` and ``subject`` are the target's words in part.

    ``subject`` is a label and what it is a label of: the command line, or the URL that was asked. ``verdict`` is empty
    as long as there is none, or when ``alert``, the gravest that holds, says the same; that is empty without one.
    """

    name: str
    facts: tuple[str, ...]
    subject: tuple[str, str]
    taken_at: str
    verdict: str
    alert: str


@dataclass(frozen=True, slots=True)
class Section:
    """One table; ``key`` is its name for a format that puts them in another order, ``caveats`` go with its title."""

    key: str
    table: Table
    caveats: str = ""

    @property
    def title(self) -> str:
        """The title with what is to be known of the figures."""
        return f"{self.table.title} ({self.caveats})" if self.caveats else self.table.title


@dataclass(frozen=True, slots=True)
class Unread:
    """A capability that the watch does not have: its name, why not, and what would help."""

    name: str
    why: str
    hint: str


def heading(snapshot: Snapshot) -> Heading:
    """The words above everything else."""
    head, target = headline(snapshot), snapshot.target
    parts = (head.pid, head.runtime, head.source, head.uptime, head.word, head.detail)
    verdict, worst = unsaid_verdict(snapshot), head.worst
    return Heading(
        name=head.name,
        facts=tuple(part for part in parts if part),
        subject=("command", " ".join(target.argv) or target.exe) if target.is_local else ("asked at", target.url),
        taken_at=iso_time(snapshot.at.wall_s),
        verdict="" if verdict is None else verdict.summary,
        alert="" if worst is None else f"{worst.severity.word}: {worst.summary}",
    )


def sections(snapshot: Snapshot, rows: int) -> Iterator[Section]:
    """The tables that there is anything to say in: ``rows`` sites at most, and so many types and tasks up to 100."""
    fewer = min(rows, _OTHERS_SHOWN)
    yield Section("memstats", memstats_table(snapshot), caveat_words(snapshot, Capability.MEMSTATS))
    yield Section("gc", _gc(snapshot), caveat_words(snapshot, Capability.GC))
    family = snapshot.sample.family
    if not isinstance(family, Missing) and family.is_tree:
        table = family_table(family)
        yield Section("family", replace(table, title=f"Process tree, {totals_words(family)}"))
    if not isinstance(snapshot.residence, Missing):
        yield Section("residence", residence_table(snapshot), age_words(snapshot))
        yield Section("mappings", mappings_table(snapshot).first(_MAPPINGS_SHOWN))
    yield Section("sites", sites_table(snapshot).first(rows), caveat_words(snapshot, Capability.SITES))
    if not isinstance(snapshot.objects, Missing):
        table = replace(objects_table(snapshot), footnote="")  # what would tell the sites stands under those
        yield Section("objects", table.first(fewer), caveat_words(snapshot, Capability.OBJECTS))
    if has_tasks(snapshot):
        yield Section("tasks", tasks_table(snapshot).first(fewer), caveat_words(snapshot, Capability.TASKS))
    yield Section("alerts", alerts_table(snapshot), dropped_words(snapshot))


def _gc(snapshot: Snapshot) -> Table:
    """With the mean pause, where there is a total: of collectors that were timed from the beginning."""
    table = gc_table(snapshot)
    before = next((place for place, row in enumerate(table.rows, start=1) if row.key == "pause total"), 0)
    gc = snapshot.sample.gc
    if isinstance(gc, Missing) or gc.generations or not before:
        return table
    return replace(table, rows=(*table.rows[:before], mean_pause(snapshot), *table.rows[before:]))


def unread(snapshot: Snapshot) -> Sequence[Unread]:
    """What could not be read at all, and what would help."""
    return [Unread(capability.value, lack.why, lack.hint) for capability, lack in snapshot.missing.items()]


def worded(table: Table) -> Table:
    """Without the rows and columns that are all drawing: sparklines and bars are for eyes."""
    rows = [row for row in table.rows if any(cell.text for cell in row.cells[1:])]
    kept = [any(row.cells[place].text for row in rows) for place in range(len(table.columns))]
    shown = tuple(Row(row.key, tuple(compress(row.cells, kept))) for row in rows)
    return replace(table, columns=tuple(compress(table.columns, kept)), rows=shown)


def reasons(table: Table) -> Sequence[str]:
    """``name: why`` for the figures of a table that are dashes, only why where rows have no names.

    Those with one reason share a line.
    """
    named: dict[str, list[str]] = {}
    for row in table.rows:
        for cell in row.cells:
            if cell.text == DASH and cell.note:
                names = named.setdefault(cell.note, [])
                name = "" if table.columns[0].right else row.cells[0].text  # a figure is no name
                names += [name] if name not in (*names, "", DASH) else []
    return [f"{', '.join(names)}: {why}" if names else why for why, names in named.items()]
