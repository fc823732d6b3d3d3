"""Who started whom: the children of every process that /proc shows."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from memdash.process.stat import STAT_BYTES

__all__ = ["Parentage", "pids"]

_ANEW_EVERY = 5


def pids(proc: str = "/proc") -> set[int]:
    """All that there are now."""
    return {int(name) for name in os.listdir(proc) if name.isdigit()}  # noqa: PTH208 - 2 ms less for 2 000


class Parentage:
    """Looks at all processes again and again, and reads only what may have changed since the look before.

    A process keeps its parent as long as that lives, so what is read is the new ones, and those whose parent is gone.
    That a pid went to another process between two looks is noticed at every fifth, which reads all: 15 µs each.
    Kernels tell the children of a process directly only where that was built in (/proc/PID/task/TID/children).
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = str(proc)
        self._parents: dict[int, int] = {}
        self._looks = 0

    def look(self) -> Mapping[int, Sequence[int]]:
        """The pids of the children by that of their parent, as it stands now."""
        known = {} if self._looks % _ANEW_EVERY == 0 else self._parents
        self._looks += 1
        now = pids(self._proc)
        parents: dict[int, int] = {}
        for pid in now:
            parent = known.get(pid)
            if parent not in now:
                parent = self._parent_of(pid)
            if parent is not None:
                parents[pid] = parent
        self._parents = parents
        children: dict[int, list[int]] = defaultdict(list)
        for pid, parent in parents.items():
            children[parent].append(pid)
        return children

    def _parent_of(self, pid: int) -> int | None:
        """None when it has gone meanwhile."""
        try:
            with open(f"{self._proc}/{pid}/stat", "rb", buffering=0) as file:
                return int((file.read(STAT_BYTES) or b"").rpartition(b")")[2].split(None, 2)[1])
        except (OSError, IndexError, ValueError):
            return None
