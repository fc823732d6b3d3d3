"""``memdash record`` as a program of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

from memdash.errors import RecordingError
from memdash.recording.reader import Recording
from tests.programs import ended
from tests.waiting import until

__all__ = ["recorder"]


@contextlib.contextmanager
def recorder(pid: int, path: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """It, once there is a recording, for a minute at most."""
    command = [sys.executable, "-m", "memdash", "record", str(pid), "-o", str(path), "-i", "50ms", *more]
    with ended(subprocess.Popen(command, stderr=subprocess.PIPE, text=True)) as program:
        late = Timer(60, program.kill)
        late.start()
        try:
            until(lambda: _has_begun(path), "a recording")
            yield program
        finally:
            late.cancel()


def _has_begun(path: Path) -> bool:
    """Whether it can be read, and holds more than one moment."""
    with contextlib.suppress(RecordingError), contextlib.closing(Recording.open(path)) as recording:
        return recording.since != recording.until
    return False
