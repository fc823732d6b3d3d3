"""The alert log."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.finding import NOTES, Finding
from memdash.model.snapshot import Snapshot
from memdash.plain import plain
from memdash.tables.alerts import Kept, alerts_table, dropped_words, entry_lines, entry_of
from memdash.tables.table import Table
from memdash.ui.command import ALERTS
from memdash.ui.commands import bindings
from memdash.ui.panes.pane import TablePane
from memdash.ui.watched import Watched

__all__ = ["AlertsPane"]


class AlertsPane(TablePane):
    """What was found, newest first. What a person says of it goes to whoever holds the session."""

    key = "alerts"
    capability = Capability.SYSTEM
    title = "Alerts"
    tabbed = True
    BINDINGS: ClassVar[list[BindingType]] = bindings(ALERTS)

    @dataclass
    class Muted(Message):
        """A rule is not to count for so many seconds; 0 lets it count again."""

        rule: str
        for_s: float

    def __init__(self) -> None:
        super().__init__(header=False)
        self._moment: Snapshot | None = None
        self._kept = Kept.ALL

    def caption(self, snapshot: Snapshot) -> str:
        """The title, and how many alerts count and have not been seen."""
        held = sum(not finding.acknowledged for finding in snapshot.alerts)
        return f"{self.title} ({held})" if held else self.title

    @property
    def summary(self) -> str:
        """Which entries are shown, what is muted, and how many old ones the log has let go."""
        if self._moment is None:
            return ""
        muted = len(self._moment.muted)
        parts = (
            f"only {self._kept.value}" if self._kept.value else "",
            f"{muted} muted" if muted else "",
            dropped_words(self._moment),
        )
        return " · ".join(part for part in parts if part)

    def build(self, snapshot: Snapshot) -> Table:
        """The log as a table."""
        self._moment = snapshot
        return alerts_table(snapshot, self.wanted, self._kept)

    @property
    def entry(self) -> Finding | None:
        """The one under the cursor."""
        return entry_of(self._moment, self.row.key) if self._moment is not None and self.row is not None else None

    def screen_of_row(self, watched: Watched) -> Screen[None] | None:
        """The entry in full, with its figures."""
        del watched
        from memdash.ui.screens.detail import TextScreen

        if self._moment is None or (entry := self.entry) is None:
            return None
        return TextScreen(self.title, "\n".join(map(plain, entry_lines(self._moment, entry))))

    def action_mute(self, for_s: float = math.inf) -> None:
        """Have the rule of the entry not count, for good or for so long; when it does not, have it count again."""
        entry = self.entry
        if entry is None or self._moment is None:
            return
        if entry.rule == NOTES:
            self.notify("that happened once: there is no rule to be muted", timeout=4)
        else:
            self.move_to(self.cursor)  # it stays on this entry when the log tells above it that its rule is muted
            self.post_message(self.Muted(entry.rule, 0.0 if entry.rule in self._moment.muted else for_s))

    def action_keep(self) -> None:
        """Show all entries, those from a severity on, or those that hold."""
        kinds = list(Kept)
        self._kept = kinds[(kinds.index(self._kept) + 1) % len(kinds)]
        if self._moment is not None:
            self.show(self._moment)
            self.frame(self.heading, self.remark)
