"""A program in a pseudo-terminal of a given size: what it printed and when, what it cost."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Sequence
from types import TracebackType

import pyte

__all__ = ["Terminal", "cpu_s", "rss_bytes"]

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_KEYS = 120
_PATIENCE_S = 2.0


def cpu_s(pid: int) -> float:
    """User and system CPU seconds of the process so far, ended threads included; in steps of a clock tick."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def rss_bytes(pid: int) -> int:
    """Resident bytes now."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Terminal:
    """Runs ``argv`` in a pseudo-terminal; its output is kept in chunks with the time each arrived."""

    def __init__(self, argv: Sequence[str], columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.chunks: list[tuple[float, bytes]] = []
        self.started_s = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor"})
            os.execvp(argv[0], list(argv))  # noqa: S606  # the benchmark's own command

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)

    def drain(self, seconds: float, until: Callable[[bytes], bool] | None = None) -> bool:
        """Read what it prints for ``seconds``, or until a chunk satisfies ``until``; whether one did."""
        deadline_s = time.perf_counter() + seconds
        while (left_s := deadline_s - time.perf_counter()) > 0:
            if not select.select([self._fd], [], [], left_s)[0]:
                return False
            try:
                data = os.read(self._fd, 65_536)
            except OSError:  # the other side is gone
                return False
            self.chunks.append((time.perf_counter() - self.started_s, data))
            if until is not None and until(data):
                return True
        return False

    def waits(self, keys: Sequence[bytes], before: Callable[[int], object] = lambda _: None) -> tuple[float, float]:
        """Milliseconds from a key to the next output, in half of the cases at most, and in 95 of 100.

        The keys are sent in turn, at random moments; ``before`` is called with the number of each turn.
        """
        pace, found = random.Random(1), []
        for turn in range(_KEYS):
            self.drain(pace.uniform(0.1, 0.4))
            before(turn)
            sent_s = time.perf_counter() - self.started_s
            os.write(self._fd, keys[turn % len(keys)])
            if self.drain(_PATIENCE_S, until=lambda data: b"\x1b[" in data):
                found.append(1e3 * (self.chunks[-1][0] - sent_s))
        found.sort()
        return found[len(found) // 2], found[int(0.95 * len(found))]

    def first_frame(self, wanted: Callable[[Sequence[str]], bool]) -> float:
        """Seconds from exec until the screen first looked as ``wanted``, by replaying the chunks; NaN if never."""
        screen = pyte.Screen(self.columns, self.rows)
        stream = pyte.ByteStream(screen)
        for at_s, data in self.chunks:
            stream.feed(data)
            if wanted(screen.display):
                return at_s
        return float("nan")
