"""What a thread is blocked in: the x86-64 system calls that can wait for long, and which of them it is safe to work in.

/proc/PID/task/TID/syscall says it, to who may trace the process. Source: proc_pid_syscall(5), syscall_64.tbl.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "EINTR",
    "ERESTARTNOHAND",
    "ERESTARTNOINTR",
    "ERESTARTSYS",
    "ERESTART_RESTARTBLOCK",
    "FUTEX",
    "INTERRUPTIBLE",
    "PAUSE",
    "POLL",
    "Standing",
    "name_of",
    "standing",
]

POLL, PAUSE = 7, 34
FUTEX = 202

EINTR, ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK = 4, 512, 513, 514, 516
"""What a system call that was broken off returns, negated; a program only ever sees the first of these."""

INTERRUPTIBLE = frozenset({0, 7, 23, 34, 35, 43, 45, 47, 61, 230, 232, 247, 270, 271, 281, 288, 299, 441})
"""Those that wait for something outside the process, holding no lock of the C library's.

Not futex: the thread may be inside a lock. Not rt_sigsuspend nor rt_sigtimedwait: they wait under another signal mask.
"""

_NAMES = {
    0: "read",
    1: "write",
    7: "poll",
    17: "pread64",
    18: "pwrite64",
    19: "readv",
    20: "writev",
    23: "select",
    34: "pause",
    35: "nanosleep",
    42: "connect",
    43: "accept",
    44: "sendto",
    45: "recvfrom",
    46: "sendmsg",
    47: "recvmsg",
    61: "wait4",
    72: "fcntl",
    73: "flock",
    74: "fsync",
    75: "fdatasync",
    128: "rt_sigtimedwait",
    130: "rt_sigsuspend",
    202: "futex",
    208: "io_getevents",
    230: "clock_nanosleep",
    232: "epoll_wait",
    247: "waitid",
    257: "openat",
    270: "pselect6",
    271: "ppoll",
    281: "epoll_pwait",
    288: "accept4",
    299: "recvmmsg",
    426: "io_uring_enter",
    441: "epoll_pwait2",
    449: "futex_waitv",
}


class Standing(NamedTuple):
    """Where a thread stands: ``number`` of the system call it waits in, -1 when it waits otherwise, None when it runs.

    ``stack`` is its stack pointer, 0 when it runs.
    """

    number: int | None
    stack: int


_RUNS = Standing(None, 0)


def standing(pid: int, thread: int) -> Standing:
    """Look once. Raises PermissionError when the kernel does not say, another OSError without such a thread."""
    with open(f"/proc/{pid}/task/{thread}/syscall", "rb", buffering=0) as file:
        words = (file.read(256) or b"").split()
    if len(words) < 3:
        return _RUNS  # "running"
    return Standing(int(words[0]), int(words[-2], 16))


def name_of(number: int) -> str:
    """``epoll_wait``; ``system call 999`` for one that is not known to wait."""
    return _NAMES.get(number, f"system call {number}")
