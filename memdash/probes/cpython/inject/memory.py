"""The one place from which memdash writes into another process.

/proc/PID/mem, once opened, is the memory of that very program: should the process end, its pid be given to another, or
exec begin another program in it, a write fails instead of landing there. So: open, then look who it is, then write.
"""

from __future__ import annotations

import ctypes
import errno
import os
from array import array
from collections.abc import Sequence
from typing import Self

from memdash.errors import AccessDenied, BadRead, TargetExited
from memdash.model.target import Target
from memdash.process.identity import require_same
from memdash.process.stat import STAT_BYTES, parse_stat

__all__ = ["TargetMemory"]

_process_vm_writev = ctypes.CDLL(None, use_errno=True).process_vm_writev
_process_vm_writev.restype = ctypes.c_ssize_t
_process_vm_writev.argtypes = (
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_ulong,
)


class TargetMemory:
    """The memory of one target, to be written. A context manager. Raises TargetExited, AccessDenied, BadRead."""

    def __init__(self, target: Target) -> None:
        self._target = target
        try:
            self._fd = os.open(f"/proc/{target.pid}/mem", os.O_RDWR | os.O_CLOEXEC)
        except PermissionError:
            raise AccessDenied(f"the kernel does not let memdash write to process {target.pid}") from None
        except OSError:
            raise TargetExited(f"process {target.pid} has ended") from None
        try:
            self.require_same()
        except BaseException:
            os.close(self._fd)
            raise

    def require_same(self) -> None:
        """Raise TargetExited unless the process is the one that was meant, and runs the program that was meant."""
        try:
            with open(f"/proc/{self._target.pid}/stat", "rb", buffering=0) as file:
                stat = parse_stat(file.read(STAT_BYTES) or b"")
        except OSError:
            raise TargetExited(f"process {self._target.pid} has ended") from None
        if stat.start_ticks != self._target.start_ticks or stat.has_exited:
            raise TargetExited(f"process {self._target.pid} has ended")
        require_same(self._target)

    def write(self, address: int, content: bytes) -> None:
        """All of it, or an error; up to 8 aligned bytes are seen at once by the target."""
        try:
            done = os.pwrite(self._fd, content, address)
        except (OSError, OverflowError):
            raise BadRead(f"address {address:#x} of process {self._target.pid} cannot be written") from None
        if done != len(content):
            raise self._gone()

    def write_together(self, parts: Sequence[tuple[int, bytes]]) -> None:
        """Several places in one system call, so that a writer that is killed has written all or none of them."""
        if not os.pread(self._fd, 1, parts[0][0]):
            raise self._gone()
        held = [ctypes.create_string_buffer(content, len(content)) for _, content in parts]
        local = array("Q", (word for buffer in held for word in (ctypes.addressof(buffer), len(buffer))))
        remote = array("Q", (word for address, content in parts for word in (address, len(content))))
        count = len(parts)
        at, to = local.buffer_info()[0], remote.buffer_info()[0]
        done = _process_vm_writev(self._target.pid, at, count, to, count, 0)
        if done == sum(len(content) for _, content in parts):
            return
        if done < 0 and ctypes.get_errno() not in (errno.ENOSYS, errno.EPERM):
            raise self._gone()
        for address, content in parts:  # some containers forbid that system call, but not the file
            self.write(address, content)

    def _gone(self) -> TargetExited:
        return TargetExited(f"process {self._target.pid} has ended, or runs another program")

    def close(self) -> None:
        """Give back the descriptor. May be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
