"""Records a watch as it goes on: beside it, in a thread of its own, and never in its way."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from memdash.errors import MemdashError, defects_told
from memdash.model.finding import Finding, Severity
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State
from memdash.recording.enduring import Enduring
from memdash.recording.moment import Moment
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer
from memdash.units import duration

__all__ = ["Progress", "Recordable", "Recorder"]

_BATCH_S = 0.5
"""What comes within so long of each other is one transaction, and lost together when memdash is killed."""
_WAITING_AT_MOST = 240
_PATIENCE_S = 20.0
"""How long the last of it may take to be written: beyond that the disk does not answer, and may never do."""


class Recordable(Protocol):
    """What can be recorded: a Session."""

    def snapshot(self) -> Snapshot:
        """The newest moment."""

    def subscribe(self, listener: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call ``listener`` with each new snapshot until what this returns is called."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How a recording stands. ``path`` is None for a private one; ``since`` is its first moment, None before it.

    ``dropped`` counts moments that came faster than they could be written, or could not be written at all.
    ``trouble`` says why nothing goes into the file at present, in one clause; ``unwritten_s`` of the watch are not in
    it for that.
    """

    path: Path | None
    used_bytes: int = 0
    since: Instant | None = None
    dropped: int = 0
    trouble: str = ""
    unwritten_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Wish:
    """A mark to be set."""

    at: Instant
    note: str


class Recorder:
    """Writes what a session publishes through ``writer`` until it is closed; the writer is closed by whoever made it.

    When the file cannot be written any more that is told once, and recording goes on in memory; once it can be again,
    what was kept there follows. ``tell`` hears such news, on the recorder's thread.
    """

    def __init__(self, watched: Recordable, writer: Writer, tell: Callable[[str], object] = lambda _: None) -> None:
        self._watched = watched
        self._writer = writer
        self._enduring = Enduring(writer, tell)
        self._tell = tell
        self._queue: deque[Snapshot | _Wish] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._progress = Progress(writer.path)
        self._run: int | None = None
        self._newest: Snapshot | None = None
        self._is_failing = False
        self._leave: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._record, name="memdash-recorder", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._leave = self._watched.subscribe(self._hear)
        self._hear(self._watched.snapshot())
        self._thread.start()

    @property
    def state(self) -> Progress:
        """How it stands now. Safe from any thread."""
        return self._progress

    def mark(self, note: str = "", at: Instant | None = None) -> None:
        """Mark the newest moment, or one that is past. Safe from any thread."""
        self._put(_Wish(at or self._watched.snapshot().at, note))

    def recording(self) -> Recording | None:
        """What has been recorded so far, to be read beside; None before there is anything. Raises RecordingError.

        It is the file, or the private database itself, which is shared with this recorder until it is closed.
        """
        if self._run is None or self._progress.since is None:
            return None
        path = self._writer.path
        return Recording(self._writer.database, self._run) if path is None else Recording.open(path, self._run)

    def close(self) -> bool:
        """Write what has come so far, and end. May be called twice.

        False where a disk does not answer, which ``state`` says too: then whoever closes the writer would wait as well.
        """
        self._leave()
        self._closing.set()
        self._wake.set()
        if self._thread.ident is None:
            return True
        self._thread.join(_PATIENCE_S)
        if self._thread.is_alive():
            with self._lock:
                self._progress = replace(self._progress, trouble=f"it has not answered for {duration(_PATIENCE_S)}")
        return not self._thread.is_alive()

    def _hear(self, snapshot: Snapshot) -> None:
        """On the sampler's thread."""
        if snapshot.state is not State.ATTACHING:
            self._put(snapshot)

    def _put(self, piece: Snapshot | _Wish) -> None:
        with self._lock:
            if self._queue and _supersedes(piece, self._queue[-1]):
                self._queue.pop()
            self._queue.append(piece)
            if len(self._queue) > _WAITING_AT_MOST:
                self._queue.popleft()
                self._progress = replace(self._progress, dropped=self._progress.dropped + 1)
        self._wake.set()

    def _record(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._closing.wait(_BATCH_S)
            self._wake.clear()
            self._take()
        self._take()
        run = self._run
        if run is not None:
            ending = None if self._newest is None else self._newest.ending
            self._safely(0, lambda: self._enduring.end(run, ending))

    def _take(self) -> None:
        with self._lock:
            pieces = tuple(self._queue)
            self._queue.clear()
        snapshots = [piece for piece in pieces if isinstance(piece, Snapshot)]
        for batch in _batches(snapshots, () if self._newest is None else self._newest.findings):
            self._safely(len(batch), partial(self._write, batch))
        run = self._run
        if run is not None:
            for wish in (piece for piece in pieces if isinstance(piece, _Wish)):
                self._safely(0, partial(self._enduring.mark, run, wish.at, wish.note))

    def _safely(self, moments: int, do: Callable[[], None]) -> None:
        """What cannot be written at all is counted, and told once; the watch goes on."""
        failure = ""
        try:
            with defects_told():
                do()
        except MemdashError as error:
            failure = error.what
            if not self._is_failing:
                self._tell(f"a moment could not be recorded: {failure}")
        self._is_failing = bool(failure)
        with self._lock:
            held = self._progress
            self._progress = replace(
                held,
                dropped=held.dropped + (moments if failure else 0),
                trouble=failure or self._enduring.trouble,
                unwritten_s=self._enduring.unwritten_s,
            )

    def _write(self, snapshots: Sequence[Snapshot]) -> None:
        if self._run is None and all(_is_void(snapshot) for snapshot in snapshots):
            return
        first, newest, before = snapshots[0], snapshots[-1], self._newest
        if self._run is None:
            self._run = self._enduring.begin(first.target, first.at, first.interval_s)
        elif before is not None and before.target != newest.target:
            self._enduring.know(self._run, newest.target)
        findings = _changed(() if before is None else before.findings, newest.findings)
        keep = before is not None and (
            newest.baseline != before.baseline or not _alerts(newest.findings) <= _alerts(before.findings)
        )
        moments = [Moment.of(shown) for shown in snapshots if before is None or not _is_same(shown, before)]
        self._enduring.write(self._run, moments, findings, keep=keep)
        self._newest = newest
        with self._lock:
            self._progress = replace(
                self._progress, used_bytes=self._writer.used_bytes, since=self._progress.since or first.at
            )


def _supersedes(new: Snapshot | _Wish, old: Snapshot | _Wish) -> bool:
    """One more probe of the same tick, or news about the same moment."""
    return isinstance(new, Snapshot) and isinstance(old, Snapshot) and new.at == old.at


def _is_void(snapshot: Snapshot) -> bool:
    """Whether the watch was over before anything was read: that begins no run."""
    return snapshot.state.is_over and not snapshot.sample.origins


def _is_same(snapshot: Snapshot, before: Snapshot) -> bool:
    """Whether nothing has come but a finding or a baseline."""
    return snapshot.sample is before.sample and snapshot.state is before.state


def _batches(snapshots: Sequence[Snapshot], before: Sequence[Finding]) -> Iterator[Sequence[Snapshot]]:
    """Cut after each at which an entry of the log began or ended: what is said bears the time of the last of its batch.

    ``before`` is the log before the first of them.
    """
    batch, known = list[Snapshot](), _standing(before)
    for shown in snapshots:
        batch.append(shown)
        if (standing := _standing(shown.findings)) != known:
            yield batch
            batch, known = [], standing
    if batch:
        yield batch


def _standing(findings: Sequence[Finding]) -> set[tuple[str, float, float | None]]:
    return {(finding.rule, finding.at_s, finding.ended_at_s) for finding in findings}


def _alerts(findings: Sequence[Finding]) -> set[tuple[str, float]]:
    return {(finding.rule, finding.at_s) for finding in findings if finding.severity >= Severity.WARNING}


def _changed(before: Sequence[Finding], now: Sequence[Finding]) -> list[Finding]:
    """Findings that are new or not as they were, oldest first."""
    known = {id(finding) for finding in before}
    return [finding for finding in reversed(now) if id(finding) not in known]
