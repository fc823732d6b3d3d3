"""The live objects of one type in full."""

from __future__ import annotations

from memdash.model.capability import Capability
from memdash.model.missing import Missing, begun
from memdash.model.snapshot import ObjectGroup, Snapshot
from memdash.tables.caveats import caveat_words
from memdash.tables.objects import read_once
from memdash.tables.row_figures import Held, RowFigure, held_figures
from memdash.tables.since import since_words

__all__ = ["type_figures", "type_paragraphs"]

_WHAT_COUNTS = (
    "Each object counts with the block of memory that holds it, and not with what it refers to: the items of a list "
    "count by themselves; its array, like the table of a dict, is no object."
)


def type_figures(group: ObjectGroup, snapshot: Snapshot) -> tuple[RowFigure, ...]:
    """What its objects hold, and how that changed."""
    groups = () if isinstance(snapshot.objects, Missing) else snapshot.objects
    return held_figures(
        Held(group.now.held_bytes, group.now.objects),
        Held(group.change.held_bytes, group.change.objects),
        sum(other.now.held_bytes for other in groups),
        "all",
        since_words(snapshot, Capability.OBJECTS),
        is_first=read_once(groups),
    )


def type_paragraphs(snapshot: Snapshot) -> tuple[str, ...]:
    """What counts, and what is not counted."""
    caveats = caveat_words(snapshot, Capability.OBJECTS)
    return (_WHAT_COUNTS, f"{begun(caveats)}.") if caveats else (_WHAT_COUNTS,)
