"""The process tree: a row a member, those that it started indented below it."""

from __future__ import annotations

from memdash.model.family import Family, Member
from memdash.model.missing import Maybe, Missing
from memdash.tables.figures import value_cell
from memdash.tables.table import DASH, Cell, Column, Row, Table, Tone
from memdash.units import Unit, count

__all__ = ["family_table", "member_key", "place_words", "totals_words", "watched_row"]

_COLUMNS = (
    Column("watched", "", 1),
    Column("pid", "pid", 7, right=True),
    Column("rss", "RSS", 10, right=True),
    Column("pss", "PSS", 10, right=True, drop=2),
    Column("state", "state", 9, drop=1),
    Column("process", "process", 0, cut="end"),
)
_WATCHED = "●"


def family_table(family: Maybe[Family]) -> Table:
    """One row a member, in the order of the tree; a dot marks the target."""
    if isinstance(family, Missing):
        return Table("Process tree", _COLUMNS, (), family.words)
    rows = tuple(_row(member, member.pid == family.own_pid) for member in family.members)
    return Table("Process tree", _COLUMNS, rows, "the target has ended, and nothing of its tree runs any more")


def member_key(member: Member) -> str:
    """The key of its row."""
    return f"{member.pid} {member.start_ticks}"


def watched_row(family: Maybe[Family]) -> int:
    """The index of the row of the target, or of the first."""
    return 0 if isinstance(family, Missing) else family.place or 0


def place_words(family: Maybe[Family], *, short: bool = False) -> str:
    """``process 2 of 5``, in short ``2/5``, with a dash for a target that has ended; empty for one that is alone."""
    if isinstance(family, Missing) or not family.is_tree:
        return ""
    place = DASH if family.place is None else count(family.place + 1)
    number = count(len(family.members))
    return f"{place}/{number}" if short else f"process {place} of {number}"


def totals_words(family: Maybe[Family]) -> str:
    """``5 processes · PSS 812.0 MiB · RSS 1.20 GiB``; what is Missing is a dash."""
    if isinstance(family, Missing):
        return DASH
    pss, rss = (value_cell(value, Unit.BYTES).text for value in (family.pss_bytes, family.rss_bytes))
    number = len(family.members)
    return f"{count(number)} {'process' if number == 1 else 'processes'} · PSS {pss} · RSS {rss}"


def _row(member: Member, watched: bool) -> Row:
    return Row(
        member_key(member),
        lambda: (
            Cell(_WATCHED if watched else "", Tone.GOOD),
            Cell(str(member.pid), sort=member.pid),
            value_cell(member.rss_bytes, Unit.BYTES),
            value_cell(member.pss_bytes, Unit.BYTES),
            Cell(member.state, Tone.FAINT),
            Cell("  " * member.depth + member.role, Tone.STRONG if watched else Tone.PLAIN, note=member.name),
        ),
    )
