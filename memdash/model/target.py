"""One process: who it is, what it runs on, and how it ended."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum

__all__ = ["Ending", "Runtime", "Target"]


class Runtime(Enum):
    """What a target runs on. The value is the word of the JSON document."""

    GO = "go"
    CPYTHON = "cpython"
    NATIVE = "native"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One process, pinned: the same pid with another start time or executable is another target.

    ``start_ticks`` is field 22 of /proc/PID/stat (clock ticks since boot), ``started_at_s`` the same moment as wall
    time. ``exe_id`` is (device, inode) of /proc/PID/exe. Names, paths and argv are the target's words: untrusted text.
    """

    pid: int
    start_ticks: int
    started_at_s: float
    name: str
    argv: tuple[str, ...]
    exe: str
    exe_id: tuple[int, int]
    uid: int
    runtime: Runtime = Runtime.NATIVE
    runtime_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a target ended. At most one of the first two is set; neither when only its parent was told.

    ``replaced`` means that the pid now runs another program (exec) or belongs to another process (pid reuse).
    """

    at_s: float
    exit_code: int | None = None
    signal_number: int | None = None
    oom_killed: bool = False
    replaced: str = ""

    @property
    def words(self) -> str:
        """What happened, in one clause: ``killed by SIGKILL (out of memory)``, ``exited with code 2``."""
        if self.replaced:
            return self.replaced
        if self.signal_number is not None:
            try:
                name = signal.Signals(self.signal_number).name
            except ValueError:
                name = f"signal {self.signal_number}"
            return f"killed by {name}" + (" (out of memory)" if self.oom_killed else "")
        if self.exit_code is not None:
            return f"exited with code {self.exit_code}"
        return "ended; how is known only to its parent"
