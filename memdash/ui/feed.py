"""From the sampler's thread to the screen: never blocking the one, never flooding the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from memdash.model.snapshot import Snapshot
from memdash.ui.messages import Sampled

if TYPE_CHECKING:
    from memdash.session import Session

__all__ = ["Feed"]


class Feed:
    """Posts one ``Sampled`` and then keeps quiet until the screen has taken the newest snapshot.

    Sampling ten times a second thus wakes the screen no more often than it paints. ``post`` must be safe from any
    thread, as Textual's ``post_message`` is.
    """

    def __init__(self, session: Session, post: Callable[[Sampled], object]) -> None:
        self._session = session
        self._post = post
        self._announced = False
        self._leave = session.subscribe(self._on_snapshot)

    def turn_to(self, session: Session) -> None:
        """Follow another session from now on."""
        self._leave()
        self._session = session
        self._announced = False
        self._leave = session.subscribe(self._on_snapshot)

    @property
    def newest(self) -> Snapshot:
        """The newest snapshot, whether taken or not, and whether published before or after this began to listen."""
        return self._session.snapshot()

    def take(self) -> Snapshot:
        """The newest snapshot; from now on the next one is announced again."""
        self._announced = False
        return self.newest

    def _on_snapshot(self, snapshot: Snapshot) -> None:
        if not self._announced:
            self._announced = True
            self._post(Sampled(snapshot))
