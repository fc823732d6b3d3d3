"""What of a watch comes into a log, and how it is written there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from memdash.errors import MemdashError, defects_told
from memdash.exports.lines import Lines
from memdash.model.finding import NOTES, Finding, Severity
from memdash.model.sample import Instant
from memdash.model.snapshot import Snapshot, State

__all__ = ["Entry", "Event", "Logbook", "Moment", "Sink", "encoded"]


class Sink(Protocol):
    """What lines go to."""

    def write(self, line: bytes) -> None:
        """Add some lines. Raises OSError."""


class Moment(NamedTuple):
    """A snapshot of the watch of this number."""

    number: int
    snapshot: Snapshot


class Event(NamedTuple):
    """What has become of an entry of the alert log; ``what`` is the word for it."""

    snapshot: Snapshot
    finding: Finding
    what: str


Entry: TypeAlias = Moment | Event


class Logbook:
    """Writes entries into ``sink``: what cannot be written is counted, and that this begins and ends is told once.

    ``is_gone`` is set when nobody reads any more. ``samples`` were written, ``failed`` entries, or the end, were not.
    ``is_failing`` says that the last that was to be written could not be.
    """

    def __init__(self, lines: Lines, sink: Sink, tell: Callable[[str], object]) -> None:
        self._lines = lines
        self._sink = sink
        self._tell = tell
        self._known: dict[int, tuple[Finding, ...]] = {}
        self._began: set[int] = set()
        self._written: dict[int, Instant] = {}
        self.is_failing = False
        self.samples = 0
        self.failed = 0
        self.is_gone = threading.Event()

    def entries(self, number: int, snapshot: Snapshot) -> list[Entry]:
        """What a snapshot brings, given each that the watch publishes in turn."""
        if snapshot.state is State.ATTACHING:
            return []
        before, self._known[number] = self._known.get(number, ()), snapshot.findings
        entries: list[Entry] = [Moment(number, snapshot)] if snapshot.state is State.LIVE else []
        entries += [
            Event(snapshot, finding, "mark" if finding.is_mark else "note")
            for finding in _notes(before, snapshot.findings)
        ]
        entries += [Event(snapshot, told.finding, told.kind.value) for told in snapshot.transitions]
        return entries

    def head(self) -> None:
        """Begin it with what a file of it begins with."""
        self._put_out(self._lines.head())

    def write(self, entry: Entry) -> None:
        """Write it down; what comes late of a moment has no line."""
        if isinstance(entry, Event):
            self.failed += not self._put_out(self._lines.finding(*entry))
        elif entry.snapshot.at != self._written.get(entry.number):
            self._written[entry.number] = entry.snapshot.at
            self._write_moment(entry)

    def end(self, at_s: float, why: str, dropped: int = 0) -> None:
        """Write its last line; ``dropped`` entries never came here."""
        self.failed += not self._put_out(self._lines.end(at_s, why, self.samples, dropped + self.failed))

    def _write_moment(self, moment: Moment) -> None:
        if moment.number not in self._began and self._put_out(self._lines.start(moment.snapshot)):
            self._began.add(moment.number)
        is_written = self._put_out(self._lines.sample(moment.snapshot))
        self.samples += is_written
        self.failed += not is_written

    def _put_out(self, lines: Iterable[str]) -> bool:
        """Whether they were written."""
        try:
            with defects_told():
                if not self._write(encoded(lines)):
                    return True  # there was nothing to fail: it says nothing of whether writing works again
        except MemdashError as error:
            if not self.is_failing and not self.is_gone.is_set():
                self._tell(f"the log cannot be written: {error.what}")
            self.is_failing = True
            return False
        if self.is_failing:
            self._tell("the log can be written again")
        self.is_failing = False
        return True

    def _write(self, data: bytes) -> bool:
        """Whether there was anything to be written."""
        try:
            if data:
                self._sink.write(data)
            return bool(data)
        except BrokenPipeError:
            self.is_gone.set()
            raise MemdashError("nobody reads it") from None
        except OSError as error:
            raise MemdashError(error.strerror or str(error)) from None


def encoded(lines: Iterable[str]) -> bytes:
    """Lines as they stand in a log, with their ends."""
    return b"".join(line.encode(errors="backslashreplace") + b"\n" for line in lines)


def _notes(before: Sequence[Finding], now: Sequence[Finding]) -> list[Finding]:
    """What memdash itself, or who marked a moment, has told since, oldest first; what is grave is a transition too."""
    if now is before:
        return []
    known = {id(finding) for finding in before}
    return [
        finding
        for finding in reversed(now)
        if (finding.rule == NOTES or finding.is_mark)
        and finding.severity < Severity.WARNING
        and id(finding) not in known
    ]
