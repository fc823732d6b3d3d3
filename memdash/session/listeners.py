"""Who follows a watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from memdash.model.snapshot import Snapshot

__all__ = ["Listeners"]


class Listeners:
    """Those of one session, in the order in which they came.

    Whoever comes or leaves while they are called counts from the next time on.
    """

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[Snapshot], None], ...] = ()

    def add(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        """One more; what this returns takes it out again."""
        self._listeners = (*self._listeners, listener)

        def leave() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

        return leave

    def __iter__(self) -> Iterator[Callable[[Snapshot], None]]:
        return iter(self._listeners)
