"""The alert log."""

from __future__ import annotations

from memdash.model.capability import Capability
from memdash.model.finding import Severity
from memdash.model.snapshot import Snapshot
from memdash.tables.alerts import alerts_table
from memdash.tables.table import Table
from memdash.ui.panes.pane import TablePane
from memdash.units import count

__all__ = ["AlertsPane"]


class AlertsPane(TablePane):
    """What was found, newest first."""

    key = "alerts"
    capability = Capability.SYSTEM
    title = "Alerts"
    tabbed = True

    def __init__(self) -> None:
        super().__init__(header=False)
        self._dropped = 0

    def caption(self, snapshot: Snapshot) -> str:
        """The title, and how many alerts still hold."""
        held = sum(f.ended_at_s is None and f.severity >= Severity.WARNING for f in snapshot.findings)
        return f"{self.title} ({held})" if held else self.title

    @property
    def summary(self) -> str:
        """How many old entries the log has let go."""
        return f"{count(self._dropped)} older ones dropped" if self._dropped else ""

    def build(self, snapshot: Snapshot) -> Table:
        """The log as a table."""
        self._dropped = snapshot.findings_dropped
        return alerts_table(snapshot, self.wanted)
