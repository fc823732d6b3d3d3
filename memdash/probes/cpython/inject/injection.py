"""An injection as memdash sees it: a process of its own that does it, asked how far it is and told when to stop.

That process is in a session of its own, so that neither ctrl+c nor a SIGKILL of memdash ends it half way. When memdash
ends, however it ends, the other one notices, takes back what has not run yet, and ends too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import IO, cast

import memdash
from memdash.errors import ProbeError
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.probes.cpython.inject.progress import Progress, Stage

__all__ = ["Injection"]

_PATIENCE_S = 2.0
_STARTED = Progress(Stage.RUNNING, "getting ready to ask it")
_CUT_SHORT = Progress(Stage.REFUSED, "the process that was to do it has been killed", "try again")


class Injection:
    """One attempt to have a target run a script; starts at once. Nothing of it blocks but ``close``.

    ``script`` is a path as the target sees it, of a file that it can read. The script may run more than once, in any
    of the target's threads, and holds that thread up: it has to be idempotent, and short. Raises ProbeError when no
    process can be started.
    """

    def __init__(self, target: Target, script: str) -> None:
        self._target = target
        self._script = script
        self._unread = b""
        self._progress = _STARTED
        self._process = self._start("attach")
        self._wanted_by, self._told_by = _pipes(self._process)
        os.set_blocking(self._told_by.fileno(), False)

    def poll(self) -> Progress:
        """How far it has come."""
        if not self._told_by.closed:
            self._hear()
        return self._progress

    def state(self) -> Maybe[str]:
        """The same in one clause; Missing once the script will never run."""
        progress = self.poll()
        if progress.stage is Stage.REFUSED:
            return Missing(progress.words, progress.hint)
        return "; ".join(filter(None, (progress.words, progress.hint)))

    def connected(self) -> None:
        """The script has reported: what has not run yet is not needed any more."""
        self._wanted_by.close()

    def close(self) -> None:
        """Take back what has not run yet; 10 ms as a rule, 4 s at most. May be called at any moment, and twice."""
        self._wanted_by.close()
        if self._told_by.closed:
            return
        self._told_by.close()
        if _ended(self._process) is _Ended.KILLED:
            with suppress(ProbeError):
                withdrawal = self._start("withdraw")
                for pipe in _pipes(withdrawal):
                    pipe.close()
                _ended(withdrawal)

    def _start(self, verb: str) -> subprocess.Popen[bytes]:
        target = self._target
        numbers = (target.pid, target.start_ticks, *target.exe_id, target.uid)
        try:
            return subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-S", "-P", "-m", __package__, verb, *map(str, numbers), self._script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd="/",
                env={**os.environ, "PYTHONPATH": str(Path(memdash.__file__).parent.parent)},
                start_new_session=True,
            )
        except OSError as error:
            raise ProbeError(f"no process could be started for it: {error.strerror}", "try again") from None

    def _hear(self) -> None:
        has_ended = False
        try:
            while chunk := os.read(self._told_by.fileno(), 1 << 16):
                self._unread += chunk
            has_ended = True
        except BlockingIOError:
            pass
        except OSError:
            has_ended = True
        *lines, self._unread = self._unread.split(b"\n")
        if lines:
            try:
                self._progress = Progress.of(lines[-1])
            except ValueError:  # the last words of one that is being killed, or of something else in its place
                self._progress = _CUT_SHORT
        if has_ended and self._progress.stage in (Stage.RUNNING, Stage.WAITING) and not self._wanted_by.closed:
            self._progress = _CUT_SHORT


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    """Its stdin and stdout."""
    return cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)


class _Ended(Enum):
    BY_ITSELF = "by itself"
    KILLED = "killed"
    NOT_YET = "not yet"


def _ended(process: subprocess.Popen[bytes]) -> _Ended:
    """Wait for it. One that does not end, which may be held up by the kernel, is left to end when it can."""
    try:
        return _Ended.KILLED if process.wait(_PATIENCE_S) < 0 else _Ended.BY_ITSELF
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, name="memdash-injection", daemon=True).start()
        return _Ended.NOT_YET
