"""Top allocation sites: which lines of the program hold the heap."""

from __future__ import annotations

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.sites import Measure, SiteOrder, sites_table
from memdash.tables.table import Table
from memdash.ui.panes.sorted import SortedPane
from memdash.units import clock_time, count, figure

__all__ = ["SitesPane"]

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


class SitesPane(SortedPane[SiteOrder]):
    """Sorts, filters and measures sites in four ways."""

    key = "sites"
    capability = Capability.SITES
    title = "Top allocation sites"
    tabbed = True

    def __init__(self) -> None:
        super().__init__(SiteOrder, frozenset({SiteOrder.FUNCTION, SiteOrder.WHERE}))
        self.measure = Measure.INUSE_SPACE
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

    def switch_time(self) -> None:
        """Between what is held and what was ever asked for."""
        self.measure = _OTHER_TIME[self.measure]

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
