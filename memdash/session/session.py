"""What a watch over one target offers, whatever feeds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from memdash.model.action import Action
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

        It must return quickly, and ask nothing of the session but ``snapshot``: the others would wait for it for ever.
        """

    @property
    def past(self) -> Maybe[Past]:
        """The moments that it has recorded so far, or why there are none. Safe from any thread."""

    def mark(self, note: str, then: Snapshot) -> None:
        """Remember a moment, with what somebody says of it: in the recording, and in the alert log."""

    def mark_baseline(self, then: Snapshot | None = None) -> None:
        """Count changes from now on, or from a moment that is past."""

    def clear_baseline(self) -> None:
        """Count changes from the attach again."""

    def act(self, action: Action) -> None:
        """Do what the snapshot's ``actions`` offer; returns at once, and the alert log says what came of it."""

    def close(self) -> None:
        """Stop watching. The last snapshot stays. May be called twice."""
