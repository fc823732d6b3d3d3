"""/proc/PID/stat: the one line that says who a process is, how it stands and what it used.

The field numbers are those of proc_pid_stat(5).
"""

from __future__ import annotations

import os
from typing import NamedTuple

from memdash.errors import BadRead

__all__ = ["STAT_BYTES", "TICKS_PER_S", "Stat", "parse_stat", "resident_bytes"]

STAT_BYTES = 1024
"""Room for the longest line the kernel writes: 52 numbers of at most 20 digits would not even fill it."""

TICKS_PER_S = os.sysconf("SC_CLK_TCK")

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_STATES = {
    "R": "running", "S": "sleeping", "D": "disk wait", "T": "stopped", "t": "traced", "I": "idle", "Z": "ended",
    "X": "ended", "x": "ended",
}  # fmt: skip

_EXITING = 0x00000004  # PF_EXITING and PF_KTHREAD of include/linux/sched.h
_KERNEL_THREAD = 0x00200000


class Stat(NamedTuple):
    """The fields memdash uses. ``name`` is cut by the kernel at 15 bytes and is the target's word: untrusted text.

    ``code_start`` is 1 when the kernel does not let us look into the process, 0 when it has no memory (left); in both
    cases ``stack_start`` is 0 and ``exit_status`` tells nothing. ``stack_start`` is another one after each exec, and
    the parent's after a fork. ``exit_status`` is as from waitpid and only means something in a zombie.
    """

    name: str
    state: str
    parent: int
    flags: int
    minor_faults: int
    major_faults: int
    user_ticks: int
    system_ticks: int
    threads: int
    start_ticks: int
    code_start: int
    stack_start: int
    exit_status: int

    @property
    def state_word(self) -> str:
        """What it does, as proc_pid_stat(5) has it, in a word or two."""
        return _STATES.get(self.state, self.state)

    @property
    def is_kernel_thread(self) -> bool:
        """It is a part of the kernel and has no memory of its own."""
        return bool(self.flags & _KERNEL_THREAD)

    @property
    def is_exiting(self) -> bool:
        """It is on its way out: its memory may be gone before it is a zombie."""
        return bool(self.flags & _EXITING)

    @property
    def is_stopped(self) -> bool:
        """It was stopped by a signal or a tracer and does nothing until it is continued."""
        return self.state in "Tt"

    @property
    def has_exited(self) -> bool:
        """It is a zombie, or being reaped."""
        return self.state in "ZXx"


def resident_bytes(pid: int) -> int:
    """The resident set, from statm: that in stat may be off by 64 pages for each processor. Raises OSError."""
    with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:
        return int((file.read(STAT_BYTES) or b"0 0").split()[1]) * _PAGE_BYTES


def parse_stat(line: bytes) -> Stat:
    """Take /proc/PID/stat apart. The name may hold spaces and parentheses, so the last ``)`` ends it."""
    head, closing, tail = line.rpartition(b")")
    fields = tail.split()
    if not closing or len(fields) < 50:
        raise BadRead("/proc/PID/stat is not as proc_pid_stat(5) says")
    name = head.partition(b"(")[2].decode(errors="backslashreplace")
    parent, flags, minor, major = int(fields[1]), int(fields[6]), int(fields[7]), int(fields[9])
    return Stat(
        name=name,
        state=fields[0].decode(),
        parent=parent,
        flags=flags,
        minor_faults=minor,
        major_faults=major,
        user_ticks=int(fields[11]),
        system_ticks=int(fields[12]),
        threads=int(fields[17]),
        start_ticks=int(fields[19]),
        code_start=int(fields[23]),
        stack_start=int(fields[25]),
        exit_status=int(fields[49]),
    )
