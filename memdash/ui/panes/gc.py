"""The collector: how often, how long, how much is left."""

from __future__ import annotations

from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.missing import begun
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.gc import METRIC_OF_ROW, gc_table
from memdash.tables.table import Table
from memdash.ui.panes.pane import TablePane
from memdash.ui.watched import Watched

__all__ = ["GcPane"]


class GcPane(TablePane):
    """Counts, pauses, settings and two courses."""

    key = "gc"
    capability = Capability.GC
    title = "GC"
    tabbed = True

    def __init__(self) -> None:
        super().__init__(header=False)

    def build(self, snapshot: Snapshot) -> Table:
        """The GC table."""
        return gc_table(snapshot)

    def screen_of_row(self, watched: Watched) -> Screen[None] | None:
        """The figure behind the row under the cursor, with its course; of what is no figure, the words of help."""
        if self.row is None:
            return None
        if (key := METRIC_OF_ROW.get(self.row.key)) is not None:
            from memdash.ui.screens.drill.metric import MetricScreen

            return MetricScreen(watched, key)
        from memdash.ui.screens.detail import TextScreen
        from memdash.ui.screens.help import words_of_pane

        notes = [plain(cell.note) for cell in self.row.cells if cell.note]
        words = words_of_pane(self.row.key)
        return TextScreen(self.title, "\n\n".join([self.words, *notes, *([f"{begun(words)}."] if words else [])]))
