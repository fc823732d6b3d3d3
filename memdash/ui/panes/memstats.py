"""MemStats: every field, with its change per second and its last minute."""

from __future__ import annotations

from dataclasses import replace

from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.metric import METRICS_BY_KEY
from memdash.model.snapshot import Snapshot
from memdash.tables.memstats import memstats_table
from memdash.tables.table import Row, Table
from memdash.tables.vitals import VITAL
from memdash.ui.panes.pane import TablePane
from memdash.ui.shape import Shape
from memdash.ui.watched import Watched

__all__ = ["AllMemStatsPane", "MemStatsPane"]


class MemStatsPane(TablePane):
    """The most telling rows first; the rest by scrolling."""

    key = "memstats"
    capability = Capability.MEMSTATS
    title = "MemStats"

    _only_vital = False

    def take_shape(self, shape: Shape) -> None:
        """In a strip, leave out all but the figures that matter most, and the titles."""
        self._only_vital = shape is Shape.STRIP
        self.set_header(not self._only_vital)

    def build(self, snapshot: Snapshot) -> Table:
        """The MemStats table, filtered by name."""
        table = memstats_table(snapshot)
        if self._only_vital:
            return replace(table, rows=tuple(row for row in table.rows if row.key in VITAL))
        if not self.wanted:
            return table
        needle = self.wanted.casefold()
        rows = tuple(row for row in table.rows if needle in METRICS_BY_KEY[row.key].label.casefold())
        return replace(table, rows=rows, empty=f"no figure matches {self.wanted!r}")

    def screen_of_row(self, watched: Watched) -> Screen[None] | None:
        """The figure under the cursor, with its course."""
        from memdash.ui.screens.drill.metric import MetricScreen

        return MetricScreen(watched, self.row.key) if self.row else None

    @staticmethod
    def is_of_tree(row: Row) -> bool:
        """Whether a row is about the process tree and not about the target alone."""
        return METRICS_BY_KEY[row.key].capability is Capability.FAMILY

    @staticmethod
    def is_rss(row: Row) -> bool:
        """Whether a row is RSS, of which there is a screen to say."""
        return row.key == "system.rss_bytes"


class AllMemStatsPane(MemStatsPane):
    """The same on a tab of its own, for small screens."""

    key = "allmemstats"
    title = "All MemStats"
    tabbed = True
