"""Live objects by type, for the sites pane of a target that has no allocation sites."""

from __future__ import annotations

from dataclasses import replace
from operator import is_

from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.objects import TITLE, ObjectMeasure, ObjectOrder, objects_table
from memdash.tables.since import since_words
from memdash.tables.table import Row, Table
from memdash.ui.acting import how_to_sample
from memdash.ui.panes.ranking import Ranking
from memdash.ui.watched import Watched
from memdash.units import byte_size, count

__all__ = ["ObjectRanking"]


class ObjectRanking(Ranking[ObjectOrder]):
    """Measures types by their bytes or their objects."""

    title = TITLE
    tab = "Objects"
    capability = Capability.OBJECTS

    def __init__(self) -> None:
        super().__init__(ObjectOrder, (ObjectOrder.TYPE,))
        self.measure = ObjectMeasure.BYTES
        self._counted = ""
        self._built: tuple[object, ...] = ()

    @property
    def summary(self) -> str:
        """Since when changes count, and how much there is of what is known and of what is not."""
        return self._counted

    def build(self, snapshot: Snapshot, wanted: str, built: Table) -> Table:
        """The types, as asked for."""
        hint = how_to_sample(snapshot)
        wish = (hint, snapshot.objects, snapshot.groups, self.measure, self.order, self.reversed, wanted, built)
        if self._built and hint == self._built[0] and all(map(is_, wish[1:], self._built[1:])):
            return built
        self._counted = _counted(snapshot)
        table = objects_table(snapshot, self.measure, self.order, self.reversed, wanted)
        if hint and table.footnote:
            table = replace(table, footnote=hint)
        self._built = (*wish[:-1], table)
        return table

    def words(self, row: Row) -> str:
        """The type's whole name."""
        return plain(row.key)

    def screen(self, watched: Watched, row: Row) -> Screen[None]:
        """Its figures and their course."""
        # Imported when first asked for: the first frame does not wait for it.
        from memdash.ui.screens.drill.types import TypeScreen

        return TypeScreen(watched, row.key)

    def switch_time(self) -> str:
        """There is no telling what was ever allocated."""
        return "only objects that live now are counted: nothing tells how many there ever were"

    def switch_unit(self) -> None:
        """Between bytes and objects."""
        self.measure = self.measure.other


def _counted(snapshot: Snapshot) -> str:
    objects, since = snapshot.sample.objects, since_words(snapshot, Capability.OBJECTS, short=True)
    if isinstance(objects, Missing) or not since:
        return ""
    total = objects.total
    held = f"{byte_size(total.held_bytes)} in {count(total.objects)} objects"
    return f"{since} · {held}, {byte_size(objects.unknown_bytes)} beside them"
