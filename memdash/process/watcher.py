"""Whether a target is still the process it was, and how it ended."""

from __future__ import annotations

import os
import signal
import time

from memdash.errors import TargetError
from memdash.model.missing import Missing, known
from memdash.model.target import Ending, Silence, Target
from memdash.process.cgroup import locate
from memdash.process.ending import exit_and_signal, reaped_status
from memdash.process.identity import UNREADABLE, executable
from memdash.process.kept import KeptFile
from memdash.process.stat import STAT_BYTES, Stat, parse_stat

__all__ = ["Watcher"]


class Watcher:
    """Pins a target and tells when its pid no longer stands for it: it ended, ran another program, or was reused.

    It keeps three files open. ``stat`` stays with the process and never with whoever gets its pid next. ``maps``
    belongs to the address space it was opened on: once it reads empty, the process has exec'ed, be it the same program
    again; one byte of it costs 1.4 µs and touches none of the target's pages. The pidfd wakes whoever waits, and
    remembers how the process ended. Without the last two it watches less closely. Raises TargetError when even the
    first cannot be opened although the process is there.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._pidfd = _pidfd(target.pid)
        self._stat = KeptFile(f"/proc/{target.pid}/stat", STAT_BYTES)
        self._maps = KeptFile(f"/proc/{target.pid}/maps", 1)
        self._exit_status_is_shown = False
        cgroup = locate(target.pid)
        self._cgroup = None if isinstance(cgroup, Missing) else cgroup
        self._oom_kills_before = self._oom_kills()
        self._ending = self._pin()

    def check(self) -> Ending | None:
        """How it ended, or None while it lives. Costs about 10 µs; once it has ended, the answer stays."""
        if self._ending is None:
            self._ending = self._look()
        return self._ending

    def silence(self) -> Silence | None:
        """Never: the kernel is asked about it."""
        return None

    def fileno(self) -> int:
        """A descriptor that becomes readable when the process ends; -1 where there is none (before Linux 5.3)."""
        return self._pidfd

    def close(self) -> None:
        """Give back the descriptors; may be called twice."""
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        self._stat.close()
        self._maps.close()

    def _pin(self) -> Ending | None:
        """See whether the pid changed hands between identifying it and opening its files."""
        stat = self._read_stat()
        if stat is None:
            return self._ended(None)
        self._exit_status_is_shown = stat.code_start != 1
        if stat.start_ticks != self._target.start_ticks:
            return Ending(at_s=time.time(), replaced=f"pid {self._target.pid} now belongs to another process")
        _, exe_id = executable(self._target.pid)
        return self._replaced() if exe_id not in (self._target.exe_id, UNREADABLE) else self._look()

    def _look(self) -> Ending | None:
        has_other_memory = self._has_other_memory()  # asked first: who dies is marked so before its memory goes
        stat = self._read_stat()
        if stat is None:
            return self._ended(None)
        if stat.has_exited:
            # While other threads outlive the first one the process still runs, and nobody knows its exit status yet.
            return self._ended(stat) if stat.threads <= 1 else None
        return self._replaced() if has_other_memory and not stat.is_exiting else None

    def _has_other_memory(self) -> bool:
        try:
            return not self._maps.read()
        except OSError:
            return False  # closed to us from the start: another user's

    def _read_stat(self) -> Stat | None:
        """None once the process has been reaped."""
        try:
            return parse_stat(self._stat.read())
        except (ProcessLookupError, FileNotFoundError):
            return None
        except OSError as error:
            self.close()
            raise TargetError(f"process {self._target.pid} cannot be watched: {error.strerror}") from None

    def _ended(self, remains: Stat | None) -> Ending:
        """``remains`` are those of a zombie; a reaped process has left its status with the pidfd at most."""
        if remains is None:
            status = reaped_status(self._pidfd) if self._pidfd >= 0 else None
        else:
            status = remains.exit_status if self._exit_status_is_shown else None
        exit_code, signal_number = exit_and_signal(status)
        killed = signal_number == signal.SIGKILL and self._oom_kills() > self._oom_kills_before
        return Ending(at_s=time.time(), exit_code=exit_code, signal_number=signal_number, oom_killed=killed)

    def _replaced(self) -> Ending:
        pid = self._target.pid
        path, exe_id = executable(pid)
        if not path:
            what = f"pid {pid} now runs another program (exec)"
        elif exe_id == self._target.exe_id:
            what = f"pid {pid} started {path} anew (exec)"
        else:
            what = f"pid {pid} now runs {path} (exec)"
        return Ending(at_s=time.time(), replaced=what)

    def _oom_kills(self) -> int:
        """So far in its cgroup; 0 where nobody counts, so that no death is blamed on memory without evidence."""
        return known(self._cgroup.oom_kills(), 0) if self._cgroup is not None else 0


def _pidfd(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1
