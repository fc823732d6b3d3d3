"""The connections of one that asks, of which another thread may want to hear no more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from memdash.errors import EndpointUnreachable
from memdash.network.wire import Wire

__all__ = ["Calls"]


class Calls:
    """One connection at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._is_cancelled = False

    @contextmanager
    def over(self, wire: Wire) -> Iterator[Wire]:
        """Open ``wire``, and close it in the end.

        Raises EndpointUnreachable when nobody answers, or when it was cancelled, whatever what was broken off looks
        like: an answer that has ended, or a server that has closed the connection.
        """
        try:
            with self._lock:
                self._wire = wire
                self._require_wanted()
            try:
                wire.open()
                yield wire
            finally:
                with self._lock:
                    self._require_wanted()
        finally:
            with self._lock:
                self._wire = None
                wire.close()

    def cancel(self) -> None:
        """Have the call that is under way fail soon, and every later one. From any thread."""
        with self._lock:
            self._is_cancelled = True
            if self._wire is not None:
                self._wire.break_off()

    def _require_wanted(self) -> None:
        if self._is_cancelled:
            raise EndpointUnreachable("it is not asked any more: the watch over the target has ended")
