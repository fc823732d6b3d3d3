"""Where the stacks of a process's threads are: the stack pointer of each, as /proc/PID/task/TID/syscall tells it.

Some 10 µs a thread. The kernel tells it of threads that are blocked only. Source: proc_pid_syscall(5).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

__all__ = ["stack_pointers"]

_LINE_BYTES = 256


def stack_pointers(pid: int) -> Iterator[tuple[int, int | None]]:
    """Each thread's id and its stack pointer, None while it runs; nothing at all where we may not look."""
    try:
        tids = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - a third of the time
    except OSError:
        return
    for tid in tids:
        words = _line(f"/proc/{pid}/task/{tid}/syscall").split()
        try:
            yield int(tid), int(words[-2], 16) if len(words) > 2 else None
        except ValueError:
            continue


def _line(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, _LINE_BYTES)
    except OSError:
        return b""
    finally:
        os.close(fd)
