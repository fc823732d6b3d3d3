"""Writes what sessions publish as a log, in a thread of its own: whoever reads it may be slow, or gone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from memdash.errors import MemdashError, defects_told
from memdash.exports.lines import Lines
from memdash.model.finding import NOTES, Finding, Severity
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.session import Session

__all__ = ["Logger", "Sink"]

_GATHERED_S = 0.2
"""Of one moment there may be several snapshots, as one probe after another comes back: the last of them counts."""
_WAITING_AT_MOST = 600
_PATIENCE_S = 2.0


class Sink(Protocol):
    """What lines go to."""

    def write(self, line: bytes) -> None:
        """Add some lines. Raises OSError."""


class _Moment(NamedTuple):
    number: int
    snapshot: Snapshot


class _Event(NamedTuple):
    snapshot: Snapshot
    finding: Finding
    what: str


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
        tell: Callable[[str], object] = lambda _: None,
        *,
        heads: bool = True,
    ) -> None:
        self._sessions = sessions
        self._lines = lines
        self._sink = sink
        self._tell = tell
        self._heads = heads
        self._queue: deque[_Moment | _Event] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._known: dict[int, tuple[Finding, ...]] = {}
        self._began: set[int] = set()
        self._written: dict[int, Instant] = {}
        self._samples = 0
        self._dropped = 0
        self._failed = 0
        self._is_failing = False
        self._leaving: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._write_all, name="memdash-log", daemon=True)
        self.is_gone = threading.Event()

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
            self._put_out(self._lines.end(at_s, why, self._samples, self._dropped + self._failed))

    def _hear(self, number: int, snapshot: Snapshot) -> None:
        """On a sampler's thread: it keeps what there is to be written and does nothing more."""
        if snapshot.state is State.ATTACHING:
            return
        before, self._known[number] = self._known.get(number, ()), snapshot.findings
        pieces: list[_Moment | _Event] = [_Moment(number, snapshot)] if snapshot.state is State.LIVE else []
        pieces += [_Event(snapshot, finding, "note") for finding in _notes(before, snapshot.findings)]
        pieces += [_Event(snapshot, told.finding, told.kind.value) for told in snapshot.transitions]
        with self._lock:
            for piece in pieces:
                self._queue_up(piece)
        self._wake.set()

    def _queue_up(self, piece: _Moment | _Event) -> None:
        if isinstance(piece, _Moment) and (at := self._waiting(piece)) is not None:
            self._queue[at] = piece
            return
        self._queue.append(piece)
        if len(self._queue) > _WAITING_AT_MOST:
            self._queue.popleft()
            self._dropped += 1

    def _waiting(self, moment: _Moment) -> int | None:
        """Where an earlier snapshot of the same moment stands in the queue."""
        for at in range(len(self._queue) - 1, -1, -1):
            piece = self._queue[at]
            if isinstance(piece, _Moment) and piece.number == moment.number:
                return at if piece.snapshot.at == moment.snapshot.at else None
        return None

    def _write_all(self) -> None:
        if self._heads:
            self._put_out(self._lines.head())
        while not self._closing.is_set() and not self.is_gone.is_set():
            self._wake.wait()
            self._closing.wait(_GATHERED_S)
            self._wake.clear()
            self._write_some()
        self._write_some()

    def _write_some(self) -> None:
        with self._lock:
            pieces = tuple(self._queue)
            self._queue.clear()
        for piece in pieces:
            if self.is_gone.is_set():
                return
            if isinstance(piece, _Event):
                self._failed += not self._put_out(self._lines.finding(*piece))
            elif piece.snapshot.at != self._written.get(piece.number):  # what comes late of a moment has no line
                self._written[piece.number] = piece.snapshot.at
                self._write_moment(piece)

    def _write_moment(self, moment: _Moment) -> None:
        if moment.number not in self._began and self._put_out(self._lines.start(moment.snapshot)):
            self._began.add(moment.number)
        is_written = self._put_out(self._lines.sample(moment.snapshot))
        self._samples += is_written
        self._failed += not is_written

    def _put_out(self, lines: Iterable[str]) -> bool:
        """Whether they were written."""
        try:
            with defects_told():
                self._write(b"".join(line.encode(errors="backslashreplace") + b"\n" for line in lines))
        except MemdashError as error:
            if not self._is_failing and not self.is_gone.is_set():
                self._tell(f"the log cannot be written: {error.what}")
            self._is_failing = True
            return False
        if self._is_failing:
            self._tell("the log can be written again")
        self._is_failing = False
        return True

    def _write(self, data: bytes) -> None:
        if not data:
            return
        try:
            self._sink.write(data)
        except BrokenPipeError:
            self.is_gone.set()
            raise MemdashError("nobody reads it") from None
        except OSError as error:
            raise MemdashError(error.strerror or str(error)) from None


def _notes(before: Sequence[Finding], now: Sequence[Finding]) -> list[Finding]:
    """What memdash itself has to tell since, oldest first; what is grave is a transition too and told as that."""
    known = {id(finding) for finding in before}
    return [
        finding
        for finding in reversed(now)
        if finding.rule == NOTES and finding.severity < Severity.WARNING and id(finding) not in known
    ]
