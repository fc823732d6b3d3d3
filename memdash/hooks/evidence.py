"""Evidence: what a target held when an alert fired, and the minutes before, saved for later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from memdash.errors import HookError, RecordingError
from memdash.hooks.alert import Alert, Watched
from memdash.hooks.folders import Folders
from memdash.hooks.pieces import SPAN_S, save_pieces
from memdash.model.capability import Capability
from memdash.model.finding import Severity, TransitionKind
from memdash.model.missing import NOT_READ_YET
from memdash.model.snapshot import Snapshot, State
from memdash.recording.pruning import Limits
from memdash.recording.reader import Recording
from memdash.recording.recorder import Recorder
from memdash.recording.writer import Writer

__all__ = ["Evidence"]

_COOLDOWN_S = 60.0
"""Of one rule on one process no more is saved within so long, unless it got graver."""
_PRIVATE = Limits(max_bytes=32 << 20, max_age_s=SPAN_S + 60.0)
_LATE_S = 2.0
"""How long the recorder may be behind."""
_SLOW_S = 5.0
"""How long is waited for what is read slowly, when an alert fires before it has been read at all."""
_WANTED = (Capability.SITES, Capability.OBJECTS, Capability.TASKS, Capability.MAPPINGS)


class Evidence:
    """A hook that saves into ``folders``. ``follow`` has the last minutes of a watch at hand when they are wanted.

    What was saved stands in the log, and ``tell`` hears it.
    """

    name = "evidence"

    def __init__(self, folders: Folders, tell: Callable[[str], object] = lambda _: None) -> None:
        self._folders = folders
        self._tell = tell
        self._recorders: list[tuple[Watched, Recorder, Writer]] = []
        self._saved: dict[tuple[int, str], tuple[float, Severity]] = {}
        self._cancelled = threading.Event()

    def follow(self, watched: Watched) -> None:
        """Record it beside; to be called before it is started."""
        writer = Writer(limits=_PRIVATE)
        recorder = Recorder(watched, writer)
        self._recorders.append((watched, recorder, writer))
        recorder.start()

    def tell(self, alert: Alert) -> None:
        """Save, unless the like of it has been just now, or worse is kept. Raises HookError."""
        shown, finding = alert.shown, alert.transition.finding
        if shown is None or (alert.transition.kind is TransitionKind.HAPPENED and not _has_failed(shown)):
            return
        key = alert.target.pid, finding.rule
        then_s, then = self._saved.get(key, (float("-inf"), finding.severity))
        if alert.at.mono_s < then_s + _COOLDOWN_S and finding.severity <= then:
            return
        try:
            if not self._folders.takes(finding.severity):
                return
            shown = self._complete(alert.watched, shown)
            with self._folders.made(alert.target, finding, alert.at.wall_s) as folder:
                save_pieces(folder, alert, shown, self._recording(alert.watched, shown), self._require_wanted)
        except OSError as error:
            raise HookError(f"{finding.rule}: {error.strerror or error}") from None
        except RecordingError as error:
            raise HookError(f"{finding.rule}: {error.what}") from None
        self._saved[key] = alert.at.mono_s, finding.severity
        words = f"evidence of {finding.rule} saved in {self._folders.newest}"
        alert.watched.note(words)
        self._tell(words)

    def _require_wanted(self) -> None:
        if self._cancelled.is_set():
            raise HookError("it was broken off")

    def _complete(self, watched: Watched, shown: Snapshot) -> Snapshot:
        """The moment itself, or the first after it in which all that can be read has been."""
        until_s = time.monotonic() + _SLOW_S
        while _is_waiting(shown) and time.monotonic() < until_s and not self._cancelled.wait(0.05):
            shown = watched.snapshot()
        return shown

    def _recording(self, watched: Watched, shown: Snapshot) -> Recording | None:
        """What was recorded of it, up to this moment if the recorder gets there soon."""
        recorder = next((recorder for each, recorder, _ in self._recorders if each is watched), None)
        until_s = time.monotonic() + _LATE_S
        while recorder is not None:
            recording = recorder.recording()
            is_there = recording is not None and recording.until.mono_s >= shown.at.mono_s - 0.001
            if is_there or time.monotonic() >= until_s or self._cancelled.wait(0.05):
                return recording
        return None

    def cancel(self) -> None:
        """Save no more, and leave nothing half saved."""
        self._cancelled.set()

    def close(self) -> None:
        """End the recorders, once nothing is being saved. May be called twice."""
        while self._recorders:
            _, recorder, writer = self._recorders.pop()
            if recorder.close():
                writer.close()


def _is_waiting(shown: Snapshot) -> bool:
    """Whether there is something that is to be read and has not been yet."""
    return shown.state is State.LIVE and any(
        getattr(shown.sample, capability.value) == NOT_READ_YET for capability in _WANTED
    )


def _has_failed(shown: Snapshot) -> bool:
    """Whether the target has ended, and not well: of what memdash itself has to tell that alone is evidence."""
    return shown.ending is not None and shown.ending.exit_code != 0
