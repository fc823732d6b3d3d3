"""Where the stacks of a process's threads are: the stack pointer of each, as /proc/PID/task/TID/syscall tells it.

Some 10 µs a thread. The kernel tells it of threads that are blocked only. Source: proc_pid_syscall(5).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from memdash.process.kept import read_if_there

__all__ = ["stack_pointers"]

_LINE_BYTES = 256


def stack_pointers(pid: int) -> Iterator[tuple[int, int | None]]:
    """Each thread's id and its stack pointer, None while it runs; nothing at all where we may not look."""
    try:
        tids = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - a third of the time
    except OSError:
        return
    for tid in tids:
        words = read_if_there(f"/proc/{pid}/task/{tid}/syscall", _LINE_BYTES).split()
        try:
            yield int(tid), int(words[-2], 16) if len(words) > 2 else None
        except ValueError:
            continue
