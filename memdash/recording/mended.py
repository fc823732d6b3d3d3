"""A recording from a file, or what is left of it: that stands in a private one then, as sound as any."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

from memdash.errors import Corrupt
from memdash.recording.allowance import Allowance, SpentError
from memdash.recording.reader import Recording
from memdash.recording.salvage import is_sound, salvaged
from memdash.recording.tables import opened
from memdash.recording.writer import Writer

__all__ = ["Opened", "opened_sound"]

_WITHOUT_MOMENTS = "DELETE FROM run WHERE number NOT IN (SELECT run FROM minute UNION ALL SELECT run FROM moment)"


class Opened(NamedTuple):
    """``damage`` says what is lost, in one clause; nothing where the file is whole. To be closed when done."""

    recording: Recording
    damage: str
    close: Callable[[], None]


def opened_sound(path: Path) -> Opened:
    """The newest run in a file. Raises RecordingError, and Corrupt when nothing of it can be read.

    A day of it takes 0.4 s to read through, and another second when it is damaged.
    """
    try:
        database = opened(path)
    except Corrupt as error:
        return _mended(path, error)
    with ExitStack() as unwanted:
        unwanted.enter_context(closing(database))
        if is_sound(database):
            recording = Recording(database)
            return Opened(recording, "", unwanted.pop_all().close)
    return _mended(path, Corrupt(f"{path} is damaged"))


def _mended(path: Path, error: Corrupt) -> Opened:
    """Raises ``error`` when nothing can be had, Corrupt when that would take too long."""
    with ExitStack() as unwanted:
        writer = unwanted.enter_context(closing(Writer()))
        try:
            found = salvaged(path, writer, Allowance())
        except Corrupt:
            raise error from None
        except SpentError:
            raise Corrupt(
                f"{path} is damaged, and there is too much in it to be mended while somebody waits",
                f"memdash record --salvage {path} takes its time",
            ) from None
        writer.database.run(_WITHOUT_MOMENTS)
        if writer.is_empty:
            raise error
        recording = Recording(writer.database)
        return Opened(recording, found.words, unwanted.pop_all().close)
