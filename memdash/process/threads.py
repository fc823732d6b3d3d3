"""What the kernel says of a process's threads: which there are, what each waits in, whether it has run since.

Source: proc_pid_task(5), proc_pid_syscall(5), Documentation/scheduler/sched-stats.rst.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import NamedTuple

from memdash.errors import BadRead, TargetExited
from memdash.process.identity import ids_in
from memdash.process.kept import read_if_there
from memdash.process.system_calls import FUTEX, name_of

__all__ = ["Doing", "Threads"]

_FILE_BYTES, _STATUS_BYTES = 512, 4096
_NAMES_EVERY = 16

_STATES = {
    b"R": "running",
    b"S": "sleeping",
    b"D": "waiting for a disk",
    b"T": "stopped",
    b"t": "stopped by a debugger",
}


class Doing(NamedTuple):
    """``words`` say what a thread does: ``running``, ``in epoll_wait``, ``sleeping`` where no more is to be had.

    ``futex`` is the address that it waits for to change, else 0. ``cpu_ns`` is what it has run so far: a thread in
    which that stays the same has not run meanwhile; None where the kernel does not count it.
    """

    words: str
    futex: int
    cpu_ns: int | None


class Threads:
    """The threads of one process; some 25 µs each."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._names: dict[int, str] = {}
        self._asked = 0
        self._tasks = f"/proc/{pid}/task"
        self._is_nested = len(self._ids(pid)) > 1

    def ids(self) -> Mapping[int, int]:
        """The threads there are: by the number that the process knows them by, as in a container, our own number.

        Raises TargetExited, BadRead.
        """
        try:
            ours = [int(name) for name in os.listdir(self._tasks)]  # noqa: PTH208 - a third of the time
        except (FileNotFoundError, ProcessLookupError):
            raise TargetExited("the process has ended") from None
        except OSError as error:
            raise BadRead(f"its threads cannot be listed: {error.strerror}") from None
        if not self._is_nested:
            return {tid: tid for tid in ours}
        return {ids[-1]: tid for tid in ours if (ids := self._ids(tid))}

    def doing(self, tid: int) -> Doing | None:
        """What thread ``tid`` (our number) does; None when it has ended."""
        call = self._read(tid, "syscall").split()
        ran = self._read(tid, "schedstat").split()
        cpu_ns = int(ran[0]) if ran else None
        if not call:
            state = self._read(tid, "stat").rpartition(b")")[2].split()
            return Doing(_STATES.get(state[0], "sleeping"), 0, cpu_ns) if state else None
        if call[0] == b"running":
            return Doing("running", 0, cpu_ns)
        number = int(call[0])
        if number < 0:
            return Doing("blocked outside system calls", 0, cpu_ns)
        return Doing(f"in {name_of(number)}", int(call[1], 16) if number == FUTEX else 0, cpu_ns)

    def names(self, tids: Collection[int]) -> Mapping[int, str]:
        """What threads call themselves where that is not the first one's name, which is the program's; untrusted.

        At most 15 bytes. A name is read when its thread is met first, and then now and again.
        """
        self._asked += 1
        for tid in {self._pid, *tids}:
            if tid not in self._names or (tid + self._asked) % _NAMES_EVERY == 0:
                name = self._read(tid, "comm").removesuffix(b"\n")
                self._names[tid] = name.decode(errors="backslashreplace")
        self._names = {tid: name for tid, name in self._names.items() if tid in tids or tid == self._pid}
        return {tid: name for tid, name in self._names.items() if name != self._names[self._pid]}

    def _ids(self, tid: int) -> list[int]:
        return ids_in(self._read(tid, "status", _STATUS_BYTES))

    def _read(self, tid: int, name: str, size: int = _FILE_BYTES) -> bytes:
        return read_if_there(f"{self._tasks}/{tid}/{name}", size)
