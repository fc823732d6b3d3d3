"""All about the live objects of one type."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar

from memdash.model.capability import Capability
from memdash.model.missing import Missing, begun
from memdash.model.snapshot import ObjectGroup, Snapshot
from memdash.tables.caveats import caveat_words
from memdash.tables.since import since_words
from memdash.ui.screens.drill.course import course_of
from memdash.ui.screens.drill.figures import Figure
from memdash.ui.screens.drill.screen import DrillScreen
from memdash.ui.screens.drill.section import Look, Section
from memdash.ui.watched import Watched
from memdash.ui.widgets.words import Part
from memdash.units import Unit, byte_size, count, ratio, signed

__all__ = ["TypeScreen"]

_WHAT_COUNTS = (
    "Each object counts with the block of memory that holds it, and not with what it refers to: the items of a list "
    "count by themselves; its array, like the table of a dict, is no object."
)


class TypeScreen(DrillScreen):
    """Its whole name, what its objects hold, how that changed, and what is not counted."""

    titles: ClassVar[tuple[str, ...]] = ("What counts",)
    has_source = False

    def __init__(self, watched: Watched, name: str) -> None:
        super().__init__(watched)
        self._type = name

    def rows(self, snapshot: Snapshot) -> object:
        """All types."""
        return snapshot.objects

    def look(self, snapshot: Snapshot, width: int) -> Look:
        """The type as it stands."""
        groups = () if isinstance(snapshot.objects, Missing) else snapshot.objects
        group = next((group for group in groups if group.now.name == self._type), None)
        caveats = caveat_words(snapshot, Capability.OBJECTS)
        words = (_WHAT_COUNTS, f"{begun(caveats)}." if caveats else "")
        lines = [line for text in words for line in wrap(text, max(width, 20))]
        return Look(
            kind="Live objects of one type",
            heading=((self._type, "strong"),),
            figures=() if group is None else _figures(group, groups, snapshot),
            course=course_of(snapshot, Capability.OBJECTS, self._type, Unit.BYTES),
            sections=(Section("What counts", [[Part(line, "faint")] for line in lines]),),
            gone="no objects of this type are counted any more" if group is None else "",
        )


def _figures(group: ObjectGroup, groups: tuple[ObjectGroup, ...], snapshot: Snapshot) -> tuple[Figure, ...]:
    now, change = group.now, group.change
    total = sum(other.now.held_bytes for other in groups) or 1
    since = since_words(snapshot, Capability.OBJECTS)
    look = "grows" if change.held_bytes > 0 else "shrinks" if change.held_bytes < 0 else "faint"
    lines = [
        Figure(
            "holds now",
            byte_size(now.held_bytes),
            count(now.objects),
            f"objects, {ratio(now.held_bytes / total)} of all",
            look="strong",
        )
    ]
    if since:
        lines.append(
            Figure(
                "change", signed(change.held_bytes, Unit.BYTES), signed(change.objects, Unit.COUNT), since, look=look
            )
        )
    if now.objects:
        lines.append(Figure("each", byte_size(now.held_bytes / now.objects)))
    return tuple(lines)
