"""Which processes of a process group still run."""

from __future__ import annotations

import os

from memdash.errors import BadRead
from memdash.process.stat import STAT_BYTES, parse_stat
from memdash.process.tree import pids

__all__ = ["running_in_group"]


def running_in_group(group: int) -> tuple[int, ...]:
    """Their pids; what has ended and waits for its parent is none of them."""
    return tuple(pid for pid in pids() if _runs_in(pid, group))


def _runs_in(pid: int, group: int) -> bool:
    try:
        if os.getpgid(pid) != group:
            return False
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return not parse_stat(file.read(STAT_BYTES) or b"").has_exited
    except (OSError, BadRead):
        return False
