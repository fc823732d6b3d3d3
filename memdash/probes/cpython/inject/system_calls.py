"""Which system call a thread is blocked in, of x86-64, and which of them it is safe to work in.

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
    "INTERRUPTIBLE",
    "PAUSE",
    "POLL",
    "Standing",
    "standing",
]

POLL, PAUSE = 7, 34

EINTR, ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK = 4, 512, 513, 514, 516
"""What a system call that was broken off returns, negated; a program only ever sees the first of these."""

INTERRUPTIBLE = frozenset({0, 7, 23, 34, 35, 43, 45, 47, 61, 230, 232, 247, 270, 271, 281, 288, 299, 441})
"""Those that wait for something outside the process, holding no lock of the C library's.

Not futex: the thread may be inside a lock. Not rt_sigsuspend nor rt_sigtimedwait: they wait under another signal mask.
"""


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
