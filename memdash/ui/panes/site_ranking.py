"""Allocation sites, for the sites pane: which lines of the program hold the heap."""

from __future__ import annotations

from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.since import since_words
from memdash.tables.sites import NONE_YET, Measure, SiteOrder, frame_of, sites_table, why_unknown
from memdash.tables.table import Row, Table
from memdash.ui.panes.ranking import Ranking
from memdash.ui.watched import Watched
from memdash.units import figure, things

__all__ = ["SiteRanking"]

_NONE_HERE = f"{NONE_YET}: < and > lead to the other processes of its tree"
"""A master that only waits for its workers has none: who looks for those of the service finds them there."""


class SiteRanking(Ranking[SiteOrder]):
    """Measures sites in four ways."""

    title = "Top allocation sites"
    tab = "Sites"
    capability = Capability.SITES

    def __init__(self) -> None:
        super().__init__(SiteOrder, (SiteOrder.FUNCTION, SiteOrder.WHERE))
        self.measure = Measure.INUSE_SPACE
        self._counted = self._since = ""
        self._snapshot: Snapshot | None = None
        self._built: tuple[object, ...] = ()

    @property
    def summary(self) -> str:
        """What is measured, since when changes count, and how many sites there are, for which there may be no room."""
        return " · ".join(part for part in (self.measure.label, self._since, self._counted) if part)

    def build(self, snapshot: Snapshot, wanted: str, built: Table) -> Table:
        """The sites, as asked for."""
        self._snapshot = snapshot
        groups = snapshot.groups
        self._since = "" if isinstance(groups, Missing) else since_words(snapshot, self.capability, short=True)
        family = snapshot.sample.family
        none_yet = NONE_YET if isinstance(family, Missing) or not family.is_tree else _NONE_HERE
        wish = (groups, none_yet, self.measure, self.order, self.reversed, wanted, built)
        if all(new is old for new, old in zip(wish, self._built, strict=False)) and self._built:
            return built
        if isinstance(groups, Missing):
            self._counted = ""
        else:
            sizes = [self.measure.of(group.usage) for group in groups]
            holding = len(sizes) - sizes.count(0)  # the others have no row
            self._counted = f"{things(holding, 'site')} · {figure(sum(sizes), self.measure.unit)}"
        table = sites_table(snapshot, self.measure, self.order, self.reversed, wanted, none_yet)
        self._built = (*wish[:-1], table)
        return table

    def words(self, row: Row) -> str:
        """Function, file in full and line."""
        frame = frame_of(row)
        return plain(f"{frame.function} {frame.where()}".strip())

    def frame(self, row: Row) -> Frame:
        """The line that asked for the memory."""
        return frame_of(row)

    def screen(self, watched: Watched, row: Row) -> Screen[None]:
        """Its figures and its stacks."""
        # Imported when first asked for: the first frame does not wait for it.
        from memdash.ui.screens.drill.site import SiteScreen

        return SiteScreen(watched, frame_of(row))

    def switch_time(self) -> str:
        """Between what is held and what was ever asked for; where that is not known, stay, and say why."""
        other = self.measure.other_time
        unknown = self._snapshot and why_unknown(self._snapshot, other)
        if unknown is None:
            self.measure = other
        return unknown.words if unknown else ""

    def switch_unit(self) -> None:
        """Between bytes and objects."""
        self.measure = self.measure.other_unit
