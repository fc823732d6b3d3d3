"""Where verbs record to, and how much of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from memdash.commands.output import tell
from memdash.errors import RecordingError
from memdash.model.finding import Severity
from memdash.units import byte_size, duration

if TYPE_CHECKING:
    from memdash.recording.recorder import Progress, Recorder
    from memdash.recording.writer import Writer
    from memdash.session import Session

__all__ = ["Keeping", "recorders"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How large a recording may become, in bytes, and how far it may reach back, in seconds."""

    max_size: int
    max_age: float | None


@contextmanager
def recorders(
    path: Path,
    sessions: Sequence[Session],
    keeping: Keeping,
    *,
    appends: bool = False,
    replaces: bool = False,
    hear: Callable[[str], object] = lambda _: None,
) -> Iterator[list[Recorder]]:
    """Record these into one file as long as this lasts, and tell then what has become of it.

    What happens to it meanwhile stands in their alert logs, and is told to ``hear``. There is no file where nothing
    came of it, and what one was to replace is there still. Raises RecordingError.
    """
    from memdash.recording.pruning import Limits  # 15 ms with all that comes with it
    from memdash.recording.recorder import Recorder
    from memdash.recording.writer import Writer

    limits = Limits(keeping.max_size, keeping.max_age)
    writer = Writer(path, limits, appends=appends, replaces=replaces)
    started: list[Recorder] = []
    try:
        for session in sessions:
            started.append(Recorder(session, writer, partial(_pass_on, session, hear)))
            started[-1].start()
        yield started
    finally:
        have_ended = [recorder.close() for recorder in started]
        where = writer.found_at
        if all(have_ended):
            used_bytes = _used_bytes(writer)
            writer.close()
        else:
            used_bytes = max(recorder.state.used_bytes for recorder in started)
        tell(_done_words(where, used_bytes, [recorder.state for recorder in started]))


def _pass_on(session: Session, hear: Callable[[str], object], news: str) -> None:
    session.note(news, severity=Severity.WARNING)
    hear(news)


def _used_bytes(writer: Writer) -> int:
    """What the recording takes, 0 where there is nothing in it, or no way to know any more."""
    try:
        return 0 if writer.is_empty else writer.used_bytes
    except (RecordingError, OSError):
        return 0


def _done_words(where: Path | None, used_bytes: int, found: Sequence[Progress]) -> str:
    """``where`` the recording stands in the end: None when somebody has deleted it."""
    words = f"recorded {byte_size(used_bytes)} into {where}" if where else "nothing is left of what was recorded"
    if not used_bytes:
        words = "nothing was recorded"
    dropped = sum(progress.dropped for progress in found)
    if dropped:
        words += f"; {dropped} moment{'s' * (dropped != 1)} could not be written"
    for progress in found:
        if progress.trouble:
            lost = f"the last {duration(progress.unwritten_s)}" if progress.unwritten_s else "the end"
            words += f"; {lost} could not be written: {progress.trouble}"
    return words
