"""What holds the heap: allocation sites, or live objects by type where there are none."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from memdash.tables.table import Table
from memdash.ui.panes.object_ranking import ObjectRanking
from memdash.ui.panes.ranking import Ranking
from memdash.ui.panes.site_ranking import SiteRanking
from memdash.ui.panes.sorted import SortedPane
from memdash.ui.watched import Watched

__all__ = ["SitesPane"]


class SitesPane(SortedPane):
    """Shows one of two rankings, whichever the target has, and passes the keys on to it."""

    key = "sites"
    capability = Capability.SITES
    title = SiteRanking.title
    tabbed = True

    def __init__(self) -> None:
        super().__init__()
        self.sites = SiteRanking()
        self.objects = ObjectRanking()
        self.ranking: Ranking[Any] = self.sites

    def _suiting(self, snapshot: Snapshot) -> Ranking[Any]:
        """Objects where sites cannot be had and objects can; sites as long as neither is known."""
        groups = snapshot.groups
        if not isinstance(groups, Missing):
            return self.sites
        has_objects = not isinstance(snapshot.objects, Missing)
        waits = bool(groups.hint) and Capability.OBJECTS not in snapshot.missing
        return self.objects if has_objects or waits else self.sites

    def caption(self, snapshot: Snapshot) -> str:
        """What is ranked."""
        return self._suiting(snapshot).title

    def tab(self, snapshot: Snapshot) -> str:
        """A shorter name."""
        return self._suiting(snapshot).tab

    @property
    def summary(self) -> str:
        """What is measured, of how much, and since when changes count."""
        return self.ranking.summary

    @property
    def words(self) -> str:
        """The row under the cursor in full, to be copied."""
        return self.ranking.words(self.row) if self.row else ""

    @property
    def frame_of_row(self) -> Frame | None:
        """The site under the cursor."""
        return self.ranking.frame(self.row) if self.row else None

    @property
    def sorting(self) -> Ranking[Any]:
        """The ranking knows its order."""
        return self.ranking

    def show(self, snapshot: Snapshot) -> None:
        """Show this moment, by the ranking that suits it."""
        self.ranking = self._suiting(snapshot)
        self.capability = self.ranking.capability
        super().show(snapshot)

    def build(self, snapshot: Snapshot) -> Table:
        """The rows, as asked for."""
        return self.ranking.build(snapshot, self.wanted, self.table)

    def switch_time(self) -> str:
        """Between what is held and what was ever asked for; says why not when there is only one of them."""
        return self.ranking.switch_time()

    def switch_unit(self) -> None:
        """Between bytes and objects."""
        self.ranking.switch_unit()

    def screen_of_row(self, watched: Watched) -> Screen[None] | None:
        """All there is to say about the row under the cursor."""
        return self.ranking.screen(watched, self.row) if self.row else None
