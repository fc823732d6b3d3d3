"""All about the live objects of one type."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.tables.row_course import course_of
from memdash.tables.row_type import type_figures, type_paragraphs
from memdash.ui.screens.drill.screen import DrillScreen
from memdash.ui.screens.drill.section import Look, Section
from memdash.ui.watched import Watched
from memdash.ui.widgets.words import Part
from memdash.units import Unit

__all__ = ["TypeScreen"]


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
        lines = [line for text in type_paragraphs(snapshot) for line in wrap(text, max(width, 20))]
        return Look(
            kind="Live objects of one type",
            heading=((self._type, "strong"),),
            figures=() if group is None else type_figures(group, snapshot),
            course=course_of(snapshot, Capability.OBJECTS, self._type, Unit.BYTES),
            sections=(Section([[Part(line, "faint")] for line in lines]),),
            gone="no objects of this type are counted any more" if group is None else "",
        )
