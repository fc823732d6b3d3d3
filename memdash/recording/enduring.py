"""A writer that goes on in memory while its file cannot be written, and then brings the file up to date."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from memdash.errors import RecordingError
from memdash.model.finding import Finding
from memdash.model.sample import Instant
from memdash.model.target import Ending, Target
from memdash.recording.moment import Moment
from memdash.recording.writer import Writer

__all__ = ["Enduring"]

_AGAIN_S = 15.0
"""How long after it failed the file is tried again."""

Given = TypeVar("Given")


class Enduring:
    """Writes one run through ``writer``. Belongs to one thread; ``tell`` hears once what went wrong, and that it ended.

    ``trouble`` says why nothing goes into the file at present, ``unwritten_s`` how long a part of the watch it lacks.
    Raises RecordingError when memory fails it too.
    """

    def __init__(
        self, writer: Writer, tell: Callable[[str], object], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.writer = writer
        self.trouble = ""
        self.unwritten_s = 0.0
        self._tell = tell
        self._now_s = now_s
        self._spare: Writer | None = None
        self._again_s = self._written_s = 0.0
        self._begun: tuple[int, Target, Instant, float] | None = None

    def begin(self, target: Target, at: Instant, interval_s: float) -> int:
        """As a Writer does; this must reach the file."""
        run = self.writer.begin(target, at, interval_s)
        self._written_s = at.mono_s
        self._begun = run, target, at, interval_s
        return run

    def know(self, run: int, target: Target) -> None:
        """As a Writer does."""
        self._somewhere(lambda writer: writer.know(run, target))

    def write(
        self, run: int, moments: Sequence[Moment], findings: Iterable[Finding] = (), *, keep: bool = False
    ) -> None:
        """As a Writer does."""
        self._somewhere(lambda writer: writer.write(run, moments, findings, keep=keep))
        if moments and self._spare is None:
            self._written_s = moments[-1].at.mono_s
        elif moments:
            self.unwritten_s = moments[-1].at.mono_s - self._written_s

    def mark(self, run: int, at: Instant, note: str) -> None:
        """As a Writer does."""
        self._somewhere(lambda writer: writer.mark(run, at, note))

    def end(self, run: int, ending: Ending | None = None) -> None:
        """As a Writer does; the file is given a last chance."""
        self._again_s = 0.0
        self._somewhere(lambda writer: writer.end(run, ending))

    def close(self) -> None:
        """Close both. May be called twice."""
        if self._spare is not None:
            self._spare.close()
        self.writer.close()

    def _somewhere(self, do: Callable[[Writer], None]) -> None:
        if self._spare is not None:
            self._return(self._spare)
        if self._spare is not None:
            do(self._spare)
            return
        try:
            do(self.writer)
        except RecordingError as error:
            if self.writer.path is None or self._begun is None:
                raise
            do(self._turn_to_memory(self._begun, error))

    def _turn_to_memory(self, begun: tuple[int, Target, Instant, float], error: RecordingError) -> Writer:
        run, target, at, interval_s = begun
        self._spare = Writer()
        self._spare.begin(target, at, interval_s, number=run)
        self._again_s = self._now_s() + _AGAIN_S
        self.trouble = error.what
        self._tell(f"the recording cannot be written, and goes on in memory: {error.what}")
        return self._spare

    def _return(self, spare: Writer) -> None:
        """Into the file, if that takes all that was kept meanwhile."""
        if self._now_s() < self._again_s:
            return
        try:
            self.writer.absorb(spare)
        except RecordingError as error:
            self._again_s = self._now_s() + _AGAIN_S
            self.trouble = error.what
            return
        spare.close()
        self._spare = None
        self.trouble, self.unwritten_s = "", 0.0
        self._tell("the recording can be written again, and holds what was kept in memory")
