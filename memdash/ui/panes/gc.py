"""The collector: how often, how long, how much is left."""

from __future__ import annotations

from memdash.model.capability import Capability
from memdash.model.snapshot import Snapshot
from memdash.tables.gc import gc_table
from memdash.tables.table import Table
from memdash.ui.panes.pane import TablePane

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
