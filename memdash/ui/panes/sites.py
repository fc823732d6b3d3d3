"""Top allocation sites: which lines of the program hold the heap."""

from __future__ import annotations

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.sites import Measure, SiteOrder, sites_table, why_unknown
from memdash.tables.table import Table
from memdash.ui.panes.pane import TablePane
from memdash.units import clock_time, count, figure

__all__ = ["SitesPane"]

_ORDERS = tuple(SiteOrder)
_OTHER_TIME = {
    Measure.INUSE_SPACE: Measure.ALLOC_SPACE,
    Measure.ALLOC_SPACE: Measure.INUSE_SPACE,
    Measure.INUSE_OBJECTS: Measure.ALLOC_OBJECTS,
    Measure.ALLOC_OBJECTS: Measure.INUSE_OBJECTS,
}
_OTHER_UNIT = {
    Measure.INUSE_SPACE: Measure.INUSE_OBJECTS,
    Measure.INUSE_OBJECTS: Measure.INUSE_SPACE,
    Measure.ALLOC_SPACE: Measure.ALLOC_OBJECTS,
    Measure.ALLOC_OBJECTS: Measure.ALLOC_SPACE,
}


class SitesPane(TablePane):
    """Sorts, filters and measures sites in four ways."""

    key = "sites"
    capability = Capability.SITES
    title = "Top allocation sites"
    tabbed = True

    def __init__(self) -> None:
        super().__init__()
        self.measure = Measure.INUSE_SPACE
        self.order = SiteOrder.FIGURE
        self.reversed = False
        self._counted = ""
        self._built: tuple[object, ...] = ()

    def tab(self, snapshot: Snapshot) -> str:
        """A shorter name."""
        del snapshot
        return "Sites"

    @property
    def summary(self) -> str:
        """What is measured, how many sites there are, and since when changes count."""
        return f"{self.measure.label} · {self._counted}" if self._counted else self.measure.label

    @property
    def words(self) -> str:
        """Function, file in full and line."""
        if (row := self.row) is None:
            return ""
        function, file, line = row.key.split("\0")
        return plain(f"{function} {file}:{line}")

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """Figures come large first, names from A to Z, unless turned round."""
        return self.order.value, (self.order in (SiteOrder.FUNCTION, SiteOrder.WHERE)) is self.reversed

    def build(self, snapshot: Snapshot) -> Table:
        """The sites, as asked for; the same table as before while neither they nor the wish have changed."""
        groups, since = snapshot.groups, snapshot.baseline
        wish = (groups, since, self.measure, self.order, self.reversed, self.wanted)
        if all(new is old for new, old in zip(wish, self._built, strict=False)) and self._built:
            return self.table
        self._built = wish
        if isinstance(groups, Missing):
            self._counted = ""
        else:
            held = figure(sum(self.measure.of(group.usage) for group in groups), self.measure.unit)
            word = "baseline" if since.marked else "attach"
            self._counted = f"{count(len(groups))} sites · {held} · Δ since {word} {clock_time(since.at.wall_s)}"
        return sites_table(snapshot, self.measure, self.order, self.reversed, self.wanted)

    def sort_by(self, step: int) -> None:
        """Sort by the next (1) or previous (-1) of the columns in view."""
        in_view = {self.table.columns[index].key for index, _ in self.fit[0]}
        orders = [order for order in _ORDERS if order.value in in_view or order is self.order]
        self.order = orders[(orders.index(self.order) + step) % len(orders)]
        self.reversed = False

    def sort_by_column(self, key: str) -> None:
        """Sort by a clicked column; a second click turns it round."""
        wanted = next((order for order in _ORDERS if order.value == key), SiteOrder.FIGURE)
        self.reversed = wanted is self.order and not self.reversed
        self.order = wanted

    def switch_time(self, snapshot: Snapshot) -> str:
        """Between what is held and what was ever asked for; where that is not known, stay, and say why."""
        other = _OTHER_TIME[self.measure]
        if (unknown := why_unknown(snapshot, other)) is not None:
            return unknown.words
        self.measure = other
        return ""

    def switch_unit(self) -> None:
        """Between bytes and objects."""
        self.measure = _OTHER_UNIT[self.measure]

    @property
    def frame_at_cursor(self) -> Frame | None:
        """The site under the cursor."""
        if (row := self.row) is None:
            return None
        function, file, line = row.key.split("\0")
        return Frame(function, file, int(line))
