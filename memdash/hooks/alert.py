"""What there is to tell of an alert."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from memdash.model.finding import Severity, Transition, TransitionKind
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot
from memdash.model.target import Target
from memdash.plain import plain

__all__ = ["CAUSE", "Alert", "Watched"]

CAUSE = "hook"
"""The key of a finding's evidence under which a hook stands that has gone wrong: no hook is told of that."""

_LONGEST_WORDS = 400


class Watched(Protocol):
    """What can be listened to and has a log: a live session."""

    def snapshot(self) -> Snapshot:
        """The newest moment."""

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call ``listener`` with each new snapshot until what this returns is called."""

    def note(
        self, summary: str, severity: Severity = Severity.INFO, evidence: dict[str, float | str] | None = None
    ) -> None:
        """Put a line into the alert log."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One transition of one target. ``watched`` has the log in which hooks say what became of them.

    ``shown`` is the moment of it, for hooks that need it: a queue of moments may take much memory.
    """

    target: Target
    at: Instant
    transition: Transition
    watched: Watched
    shown: Snapshot | None = None

    @property
    def words(self) -> str:
        """One line: ``shop-server (pid 41287): WARN heap: HeapAlloc 620.1 MiB over 512.0 MiB``. Safe to show."""
        finding = self.transition.finding
        over = " is over" if self.transition.kind is TransitionKind.ENDED else ""
        told = f"{self.target.words}: {finding.severity.word}{over} {finding.rule}: {finding.summary}"
        return plain(told)[:_LONGEST_WORDS]
