"""What a command of the dashboard is, and where it works."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from memdash.model.action import Action
from memdash.model.capability import Capability

__all__ = [
    "ALERTS", "APP", "CODE", "DASHBOARD", "DRILL", "FLAME", "ICICLE", "LIST", "PEEK", "PROFILE", "RANKED", "ROWS",
    "TABLE", "TREE", "Command", "Offering", "When",
]  # fmt: skip

APP, DASHBOARD, DRILL = "app", "screen", "drill"
"""Scopes: works everywhere, on the dashboard, in all about a row."""

TABLE, ROWS, CODE = "table", "rows", "code"
"""More of them: works in the focused table, in whatever scrolls, in source code."""

PROFILE, RANKED, TREE, PEEK, LIST = "profile", "ranked", "tree", "peek", "list"
"""Works in each view of a profile, in those that are tables, in the tree, among callers and callees, in listings."""

FLAME, ICICLE = "flame", "icicle"
"""In the flame graph, and on its boxes."""

ALERTS = "alerts"
"""In the alert log."""


class When(Enum):
    """Where in time the view must stand for a command to make sense."""

    PRESENT = "not in a replay"
    AWAY = "at another moment than the newest"


@dataclass(frozen=True, slots=True)
class Command:
    """What can be done, by which keys.

    ``keys`` are as Textual names them, separated by commas (none: bound elsewhere); ``shown`` is how a person does;
    ``label`` a word or two. ``footer`` ranks it among the footer's entries, 1 first; 0 keeps it out. ``palette`` is
    False where choosing it from a list makes no sense; ``needs`` what the target must offer for it: an
    action, or with FAMILY a process tree; or where in time the view must stand.
    """

    scope: str
    keys: str
    shown: str
    action: str
    label: str
    group: str
    help: str
    footer: float = 0
    palette: bool = True
    needs: Action | Capability | When | None = None


@runtime_checkable
class Offering(Protocol):
    """A screen with commands of its own in the palette: those of its ``scopes``."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Of which commands it has the actions."""

    def offers(self, command: Command) -> bool:
        """Whether a command can do anything here now."""
