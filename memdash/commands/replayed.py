"""Recordings where verbs take a process: which file is meant, which of its runs, and which moment of that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from memdash.commands.output import tell
from memdash.errors import UsageError
from memdash.files import is_seen
from memdash.units import duration, parse_duration

if TYPE_CHECKING:
    from memdash.model.snapshot import Snapshot
    from memdash.recording.moment import Run
    from memdash.session.past import Past

__all__ = ["RECORDING", "Recorded", "recorded"]

RECORDING = "FILE.mdr[@TIME]"
"""How help names the argument."""

_SQLITE, _OURS_AT, _OURS = b"SQLite format 3\0", 68, 0x6D656D64
_SUFFIX, _BESIDE, _EMPTY = ".mdr", "-wal", 4096
_LISTED = 8
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?")
_TIMES = "a time is 12:04, 12:04:41, 2026-01-31T12:04, -5m before the end or +5m after the beginning"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that was named, and the moment of it; without one the newest is meant."""

    path: Path
    time: str = ""

    def open(self, number: int | None = None) -> Past:
        """The run that is meant: the newest that reaches to the time, unless a number is given.

        What else there is in the file is told. Raises RecordingError, UsageError.
        """
        from memdash.recording.mended import opened_sound  # 15 ms with all that comes with it
        from memdash.recording.place import is_written
        from memdash.session.past import Past

        goes_on = is_written(self.path)
        opened = opened_sound(self.path)
        newest, runs = opened.recording, opened.recording.runs
        if number is not None and number not in [run.number for run in runs]:
            opened.close()
            raise UsageError(f"{self.path} has no run {number}", f"there {_there_are(runs)}")
        meant = (self._holder(runs) if number is None else number) or newest.number
        if number is None and len(runs) > 1:
            tell(f"{self.path}: this is run {meant}; with --run there {_there_are(runs)}")
        recording = newest if meant == newest.number else newest.of(meant)
        if opened.damage:
            tell(f"{self.path} is damaged: {opened.damage}; what is left of this run is {_reach(recording.run)}")
        elif goes_on and recording.run.ending is None:
            tell(f"{self.path} is still being recorded: so far it holds {_reach(recording.run)}")
        return Past(recording, is_of_file=True, close=opened.close)

    def _holder(self, runs: Sequence[Run]) -> int | None:
        """The newest of the runs in which it was that time of the clock; None where that tells nothing."""
        if not self.time or self.time[0] in "+-":
            return None
        with suppress(UsageError):  # told once a moment is asked for
            for run in sorted(runs, key=lambda run: run.number, reverse=True):
                if _holds(run, _wall_s(self.time, run.until.wall_s)):
                    return run.number
        return None

    def instant_s(self, past: Past) -> float:
        """The moment that is meant, on the monotonic clock. Raises UsageError when the run does not hold it."""
        run = past.run
        if not self.time:
            return run.until.mono_s
        if self.time[0] in "+-":
            try:
                apart_s = parse_duration(self.time[1:])
            except UsageError as error:
                raise UsageError(error.what, _TIMES) from None
            at_s = run.since.mono_s + apart_s if self.time[0] == "+" else run.until.mono_s - apart_s
            if not run.since.mono_s <= at_s <= run.until.mono_s:
                raise UsageError(f"{self.path} does not reach {self.time}", f"it holds {_reach(run)}")
            return at_s
        wall_s = _wall_s(self.time, run.until.wall_s)
        if not _holds(run, wall_s):
            raise UsageError(f"{self.path} does not reach {self.time}", f"it holds {_reach(run)}")
        return past.when(wall_s + _WITHIN_S).mono_s

    @contextmanager
    def moment(self, number: int | None = None) -> Iterator[Snapshot]:
        """The moment that is meant, as long as this lasts: what it is asked for is read then.

        Raises RecordingError, UsageError.
        """
        with closing(self.open(number)) as past:
            yield past.at(self.instant_s(past))


_WITHIN_S = 0.999
"""Who names a second means all of it."""


def recorded(argument: str) -> Recorded | None:
    """The recording that ``argument`` names, if any: a file, and perhaps a moment after an @.

    Raises UsageError when it ends like one and there is no such file.
    """
    if _is_recording(Path(argument)):
        return Recorded(Path(argument))
    name, at, time = argument.rpartition("@")
    if at and _is_recording(Path(name)):
        return Recorded(Path(name), time)
    if argument.endswith(_SUFFIX) or name.endswith(_SUFFIX):
        file = Path(name if name.endswith(_SUFFIX) else argument)
        if _is_alone(file):
            raise UsageError(
                f"{file} holds nothing: what is recorded just now, or was killed, stands in {file.name}{_BESIDE}",
                "copy both, or where they are make one of them: memdash record --salvage FILE -o NEW",
            )
        why = "is no recording of memdash" if is_seen(file) else "does not exist"
        raise UsageError(f"{file} {why}", "memdash record PID -o FILE.mdr makes one")
    return None


def _is_alone(path: Path) -> bool:
    """Whether it is a database in which nothing stands, as a young recording is without the file beside it."""
    return _application(path) == 0 and path.stat().st_size <= _EMPTY


def _is_recording(path: Path) -> bool:
    """By its first bytes; as long as it is young, or was not closed, all of it may be in the file beside it."""
    try:
        is_young = path.is_file() and path.with_name(f"{path.name}{_BESIDE}").is_file()
    except (OSError, ValueError):
        return False
    return is_young or _application(path) == _OURS


def _application(path: Path) -> int | None:
    """Whose database it is: SQLite keeps a number for that; None for what is no database."""
    try:
        if not path.is_file():  # to open a pipe may take for ever
            return None
        with path.open("rb") as file:
            head = file.read(_OURS_AT + 4)
    except (OSError, ValueError):
        return None
    return int.from_bytes(head[_OURS_AT:], "big") if head.startswith(_SQLITE) else None


def _holds(run: Run, wall_s: float) -> bool:
    return int(run.since.wall_s) <= wall_s <= run.until.wall_s + 1


def _wall_s(text: str, newest_s: float) -> float:
    """A moment in local time; a time of day is the last one up to ``newest_s``. Raises UsageError."""
    newest = datetime.fromtimestamp(newest_s, tz=UTC).astimezone()
    try:
        if (clock := _CLOCK.fullmatch(text)) is None:
            return datetime.fromisoformat(text).astimezone().timestamp()
        second = int(float(clock[3] or 0))
        at = newest.replace(hour=int(clock[1]), minute=int(clock[2]), second=second, microsecond=0, tzinfo=None)
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{text!r} is no time", _TIMES) from None
    today, yesterday = (day.astimezone() for day in (at, at - timedelta(days=1)))  # by the offset from UTC of then
    return (today if today <= newest + timedelta(seconds=1) else yesterday).timestamp()


def _there_are(runs: Sequence[Run]) -> str:
    listed = [f"run {run.number} ({run.target.name}, {run.target.place}, {_reach(run)})" for run in runs[-_LISTED:]]
    more = f"and {len(runs) - _LISTED} more" if len(runs) > _LISTED else ""
    return f"{'are' if len(runs) > 1 else 'is'} {'; '.join(filter(None, (*listed, more)))}"


def _reach(run: Run) -> str:
    begin, end = (datetime.fromtimestamp(at.wall_s, tz=UTC).astimezone() for at in (run.since, run.until))
    written = "%H:%M:%S" if begin.date() == end.date() else "%Y-%m-%d %H:%M:%S"
    return f"{begin:%Y-%m-%d %H:%M:%S} to {end.strftime(written)}, {duration(run.until.mono_s - run.since.mono_s)}"
