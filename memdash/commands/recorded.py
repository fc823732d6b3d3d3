"""Where verbs record to, and how much of it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from memdash.commands.output import tell
from memdash.model.finding import Severity
from memdash.units import byte_size

if TYPE_CHECKING:
    from memdash.recording.recorder import Recorder
    from memdash.session import Session

__all__ = ["Keeping", "recorders"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How large a recording may become, in bytes, and how far it may reach back, in seconds."""

    max_size: int
    max_age: float | None


@contextmanager
def recorders(
    path: Path, sessions: Sequence[Session], keeping: Keeping, *, appends: bool = False, replaces: bool = False
) -> Iterator[list[Recorder]]:
    """Record these into one file as long as this lasts, and tell then what has become of it.

    What happens to it meanwhile stands in their alert logs. There is no file where nothing came of it. Raises
    RecordingError.
    """
    from memdash.recording.pruning import Limits  # 15 ms with all that comes with it
    from memdash.recording.recorder import Recorder
    from memdash.recording.writer import Writer

    limits = Limits(keeping.max_size, keeping.max_age)
    writer = Writer(path, limits, appends=appends, replaces=replaces)
    started: list[Recorder] = []
    try:
        for session in sessions:
            started.append(Recorder(session, writer, partial(session.note, severity=Severity.WARNING)))
            started[-1].start()
        yield started
    finally:
        for recorder in started:
            recorder.close()
        is_empty = writer.is_empty
        writer.close()
        if is_empty:
            path.unlink(missing_ok=True)
            tell("nothing was recorded")
        else:
            _tell_done(path, sum(recorder.state.dropped for recorder in started))


def _tell_done(path: Path, dropped: int) -> None:
    lost = f"; {dropped} moments could not be written" if dropped else ""
    tell(f"recorded {byte_size(path.stat().st_size)} into {path}{lost}")
