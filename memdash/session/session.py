"""What a watch over one target offers, whatever feeds it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from memdash.model.action import Action
from memdash.model.finding import Finding, Severity
from memdash.model.missing import Maybe
from memdash.model.snapshot import Snapshot

if TYPE_CHECKING:
    from memdash.session.past import Past

__all__ = ["Session"]


class Session(Protocol):
    """What the dashboard and the headless commands hold: snapshots, and the few things one may ask for."""

    def start(self) -> None:
        """Begin to watch; returns at once. The first snapshots say ATTACHING."""

    def snapshot(self) -> Snapshot:
        """The newest moment. Safe from any thread."""

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call ``listener`` with each new snapshot, on whichever thread made it, until what this returns is called.

        What alerts have done is in its ``transitions``. It must return quickly, and ask nothing of the session but
        ``snapshot``: the others would wait for it for ever.
        """

    @property
    def past(self) -> Maybe[Past]:
        """The moments that it has recorded so far, or why there are none. Safe from any thread."""

    def require_markable(self) -> None:
        """Raise RecordingError where a mark could not be kept; it may have to wait for a disk."""

    def mark(self, note: str, then: Snapshot) -> None:
        """Remember a moment, with what somebody says of it: in the recording, and in the alert log."""

    def mark_baseline(self, then: Snapshot | None = None) -> None:
        """Count changes from now on, or from a moment that is past."""

    def clear_baseline(self) -> None:
        """Count changes from the attach again."""

    def acknowledge(self, finding: Finding, seen: bool = True) -> None:
        """A person has seen this entry of the alert log, or takes that back."""

    def mute(self, rule: str, for_s: float = math.inf) -> None:
        """Count nothing that the rule of this name finds, for so long: the log has it, and that is all. 0 ends it."""

    def note(self, summary: str, severity: Severity = Severity.INFO) -> None:
        """Put a line into the alert log, about something that happened to the watch itself."""

    def act(self, action: Action) -> None:
        """Do what the snapshot's ``actions`` offer; returns at once, and the alert log says what came of it."""

    def is_doing(self, action: Action) -> bool:
        """Whether it has been asked for, by whomever, and nothing has come of it yet."""

    def close(self) -> None:
        """Stop watching. The last snapshot stays. May be called twice."""
