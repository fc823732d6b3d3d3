"""What a live watch can go back to: that which is recorded of it, for itself alone or into a file."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from memdash.errors import RecordingError
from memdash.model.missing import Maybe, Missing
from memdash.model.sample import Instant

if TYPE_CHECKING:
    from memdash.recording.recorder import Recordable, Recorder
    from memdash.recording.writer import Writer
    from memdash.session.past import Past

__all__ = ["Rewind"]

_BEGINS_AFTER_S = 2.0
"""By then the first frames stand; to load what records takes 40 ms, and 4 MiB."""

_NOT_KEPT = Missing("nothing is recorded of this watch")
_NOT_YET = Missing("nothing has been recorded yet", "it begins two seconds after the watch")


class Rewind:
    """Safe from any thread. To be closed before the watch's file is, if it is recorded into one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._writer: Writer | None = None
        self._recorder: Recorder | None = None
        self._past: Past | None = None
        self._closed = False

    def begin_soon(self, watched: Recordable) -> None:
        """Record a watch for itself alone, bounded, in memory and a file without a name."""
        self._timer = threading.Timer(_BEGINS_AFTER_S, self._begin, (watched,))
        self._timer.name, self._timer.daemon = "memdash-rewind", True
        self._timer.start()

    def use(self, recorder: Recorder) -> None:
        """Go back through what somebody else records, and will close."""
        self._recorder = recorder

    def _begin(self, watched: Recordable) -> None:
        from memdash.recording.recorder import Recorder
        from memdash.recording.writer import Writer

        with self._lock:
            if self._closed:
                return
            try:
                self._writer = Writer()
            except RecordingError:  # no room for a temporary file: the watch is worth as much without
                return
            self._recorder = Recorder(watched, self._writer)
            self._recorder.start()

    @property
    def past(self) -> Maybe[Past]:
        """The moments so far, or why they cannot be looked at."""
        with self._lock:
            if self._past is None and self._recorder is not None and not self._closed:
                try:
                    recording = self._recorder.recording()
                except RecordingError as error:
                    return Missing.of(error)
                if recording is not None:
                    from memdash.session.past import Past

                    self._past = Past(recording)
            return self._past or (_NOT_KEPT if self._timer is None and self._recorder is None else _NOT_YET)

    def mark(self, note: str, at: Instant) -> None:
        """Mark a moment in what is recorded."""
        if self._recorder is not None:
            self._recorder.mark(note, at)

    def close(self) -> None:
        """Let go of the past; what was recorded for the watch alone is gone. May be called twice."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._closed = True
            if self._past is not None:
                self._past.close()
            if self._writer is not None and (self._recorder is None or self._recorder.close()):
                self._writer.close()
