"""Writes what sessions publish as a log, in a thread of its own: whoever reads it may be slow, or gone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from memdash.commands.logbook import Entry, Logbook, Moment, Sink
from memdash.exports.lines import Lines
from memdash.model.snapshot import Snapshot
from memdash.session import Session

__all__ = ["Logger"]

_GATHERED_S = 0.2
"""Of one moment there may be several snapshots, as one probe after another comes back: the last of them counts."""
_WAITING_AT_MOST = 600
_PATIENCE_S = 2.0


class Logger:
    """Writes into ``sink`` what these sessions publish, from ``start`` to ``close``.

    What cannot be written is counted; that this begins and ends is told once. ``is_gone`` is set when nobody reads any
    more. It ``heads`` the log with what a file begins with, unless the sink does.
    """

    def __init__(
        self,
        sessions: Sequence[Session],
        lines: Lines,
        sink: Sink,
        tell: Callable[[str], object],
        *,
        heads: bool = True,
    ) -> None:
        self._sessions = sessions
        self._book = Logbook(lines, sink, tell)
        self._heads = heads
        self._queue: deque[Entry] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._dropped = 0
        self._leaving: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._write_all, name="memdash-log", daemon=True)
        self.is_gone = self._book.is_gone

    def start(self) -> None:
        """Begin; returns at once."""
        self._leaving = [session.subscribe(partial(self._hear, at)) for at, session in enumerate(self._sessions)]
        self._thread.start()

    def close(self, at_s: float, why: str, patience_s: float = _PATIENCE_S) -> None:
        """Write what has come, and a last line; gives up when nobody takes it for so long."""
        for leave in self._leaving:
            leave()
        self._closing.set()
        self._wake.set()
        self._thread.join(patience_s)
        if not self._thread.is_alive() and not self.is_gone.is_set():
            self._book.end(at_s, why, self._dropped)

    @property
    def is_failing(self) -> bool:
        """Whether the last that was to be written could not be."""
        return self._book.is_failing and not self.is_gone.is_set()

    def _hear(self, number: int, snapshot: Snapshot) -> None:
        """On a sampler's thread: it keeps what there is to be written and does nothing more."""
        entries = self._book.entries(number, snapshot)
        with self._lock:
            for entry in entries:
                self._queue_up(entry)
        self._wake.set()

    def _queue_up(self, entry: Entry) -> None:
        if isinstance(entry, Moment) and (at := self._waiting(entry)) is not None:
            self._queue[at] = entry
            return
        self._queue.append(entry)
        if len(self._queue) > _WAITING_AT_MOST:
            self._queue.popleft()
            self._dropped += 1

    def _waiting(self, moment: Moment) -> int | None:
        """Where an earlier snapshot of the same moment stands in the queue."""
        for at in range(len(self._queue) - 1, -1, -1):
            entry = self._queue[at]
            if isinstance(entry, Moment) and entry.number == moment.number:
                return at if entry.snapshot.at == moment.snapshot.at else None
        return None

    def _write_all(self) -> None:
        if self._heads:
            self._book.head()
        while not self._closing.is_set() and not self.is_gone.is_set():
            self._wake.wait()
            self._closing.wait(_GATHERED_S)
            self._wake.clear()
            self._write_some()
        self._write_some()

    def _write_some(self) -> None:
        with self._lock:
            entries = tuple(self._queue)
            self._queue.clear()
        for entry in entries:
            if self.is_gone.is_set():
                return
            self._book.write(entry)
