"""One process: who it is, what it runs on, and how it ended."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Self

from memdash.model.finding import Severity

__all__ = ["Ending", "Runtime", "Silence", "Target"]

_LONGEST_NAME = 40


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

    What has a ``url`` is known by that alone: a server somewhere, of whose process nothing is known. All that would
    describe it is 0 or empty then, which no process of this machine has, and is never shown.
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
    url: str = ""

    @classmethod
    def at_url(cls, url: str, server: str) -> Self:
        """What serves Go's endpoints at ``url``, on ``server`` (host and port)."""
        return cls(
            pid=0,
            start_ticks=0,
            started_at_s=0.0,
            name=server,
            argv=(),
            exe="",
            exe_id=(0, 0),
            uid=0,
            runtime=Runtime.GO,
            url=url,
        )

    @property
    def is_local(self) -> bool:
        """Whether it is a process of this machine."""
        return not self.url

    @property
    def place(self) -> str:
        """What tells it from others of its name: ``pid 1234``, or the URL."""
        return f"pid {self.pid}" if self.is_local else self.url

    @property
    def words(self) -> str:
        """Which is meant: ``shop-server (pid 41287)``."""
        return f"{self.name} ({self.place})"

    @property
    def file_name(self) -> str:
        """A name for files about it, without a suffix: ``shop-server-41287``.

        A process is called what it likes: only what is harmless in the name of a file is taken from that.
        """
        name = re.sub(r"[^\w.+-]+", "_", self.name, flags=re.ASCII).lstrip(".-")[:_LONGEST_NAME] or "process"
        return f"{name}-{self.pid}" if self.is_local else name


class Silence(NamedTuple):
    """Since when (Unix time) a server has not answered, and why: ``connection refused``."""

    since_s: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a target ended. At most one of the first two is set; neither when only its parent was told.

    ``replaced`` means that the pid now runs another program (exec) or belongs to another process (pid reuse);
    ``is_silent`` that a server, of whose process nothing is known, answers no more.
    """

    at_s: float
    exit_code: int | None = None
    signal_number: int | None = None
    oom_killed: bool = False
    replaced: str = ""
    is_silent: bool = False

    @property
    def words(self) -> str:
        """What happened, in one clause: ``killed by SIGKILL (out of memory)``, ``exited with code 2``."""
        if self.is_silent:
            return "does not answer any more"
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

    @property
    def severity(self) -> Severity:
        """How bad it is: that a program is done is no alert."""
        if self.signal_number is not None or self.oom_killed or self.is_silent:
            return Severity.CRITICAL
        return Severity.INFO if self.exit_code == 0 else Severity.WARNING
