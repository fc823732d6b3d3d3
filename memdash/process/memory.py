"""Another process's memory: single reads, and scatter plans that fetch hundreds of places in one system call.

The kernel copies (process_vm_readv), so the target is neither stopped nor told. /proc/PID/mem is used only where the
system call itself is not to be had, as under some containers' seccomp filters. Source: process_vm_readv(2), proc(5).
"""

from __future__ import annotations

import bisect
import ctypes
import errno
import mmap
import os
import struct
from array import array
from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Self

from memdash.errors import AccessDenied, BadRead, MemdashError, TargetExited

__all__ = ["ProcessMemory", "ReadPlan", "require_permission"]

_MOST_PARTS = 1024
"""UIO_MAXIOV: the kernel takes no more places at once."""

_MAPPED_FROM_BYTES = 64 << 10
_IOVEC_BYTES = 16
_DENIED = (errno.EPERM, errno.EACCES)
_GONE = (errno.ESRCH, errno.ENOENT)

_process_vm_readv = ctypes.CDLL(None, use_errno=True).process_vm_readv
_process_vm_readv.restype = ctypes.c_ssize_t
_process_vm_readv.argtypes = (
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_void_p,
    ctypes.c_ulong,
    ctypes.c_ulong,
)


def require_permission(pid: int) -> None:
    """Raises AccessDenied when the kernel does not let us read the memory of a process, TargetExited."""
    try:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC))
    except (FileNotFoundError, ProcessLookupError):
        raise TargetExited(f"process {pid} has ended") from None
    except PermissionError:
        raise AccessDenied(f"the kernel does not let memdash read the memory of process {pid}") from None
    except OSError:  # that it cannot be opened for another reason forbids nothing
        return


class ProcessMemory:
    """The memory of one process, read by one thread.

    Everything raises BadRead when an address is not mapped, AccessDenied when the kernel refuses, TargetExited when
    the process is gone. Reads are not atomic: what the target changes meanwhile may come half old, half new.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._mem_fd = -1

    def read(self, address: int, size: int) -> bytes:
        """``size`` bytes from ``address``. Some 5 µs; for many places make a plan."""
        return bytes(self.plan(((address, size),)).read())

    def u32(self, address: int) -> int:
        """The unsigned 32-bit word at ``address``."""
        return int.from_bytes(self.read(address, 4), "little")

    def u64(self, address: int) -> int:
        """The 64-bit word at ``address``."""
        return int.from_bytes(self.read(address, 8), "little")

    def i64(self, address: int) -> int:
        """The 64-bit word at ``address``, which may be negative."""
        return int.from_bytes(self.read(address, 8), "little", signed=True)

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """``count`` 64-bit words from ``address``."""
        return struct.unpack(f"<{count}Q", self.read(address, 8 * count))

    def plan(self, parts: Sequence[tuple[int, int]]) -> ReadPlan:
        """Prepare to read these (address, size) again and again."""
        return ReadPlan(self, parts)

    def close(self) -> None:
        """Give back the descriptor, if one was needed. May be called twice."""
        if self._mem_fd >= 0:
            os.close(self._mem_fd)
            self._mem_fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def transfer(self, plan: ReadPlan, first: int, last: int) -> None:
        """Fetch the parts ``first`` up to ``last``, not included, of a plan; at most 1024."""
        offset, end = plan.offsets[first], plan.offsets[last]
        if self._mem_fd < 0:
            done = _process_vm_readv(
                self.pid, plan.local_iovec(offset, end), 1, plan.remote_iovecs(first), last - first, 0
            )
            if done == end - offset:
                return
            if done >= 0:
                raise self._stopped(plan, offset + done)
            code = ctypes.get_errno()
            if code not in (errno.ENOSYS, errno.EPERM) or not self._open_mem():
                raise self._failed(code, plan.address_at(offset))
        self._transfer_by_file(plan, first, last)

    def _stopped(self, plan: ReadPlan, offset: int) -> MemdashError:
        """The kernel copied some and stopped: ask once more for the byte it stopped at, to hear why."""
        address = plan.address_at(offset)
        remote_at, _alive = _iovecs([(address, 1)])
        done = _process_vm_readv(self.pid, plan.local_iovec(offset, offset + 1), 1, remote_at, 1, 0)
        return self._failed(ctypes.get_errno() if done < 0 else errno.EFAULT, address)

    def _open_mem(self) -> bool:
        try:
            self._mem_fd = os.open(f"/proc/{self.pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        return True

    def _transfer_by_file(self, plan: ReadPlan, first: int, last: int) -> None:
        for i in range(first, last):
            at, end = plan.offsets[i : i + 2]
            while at < end:
                address = plan.address_at(at)
                try:
                    done = os.preadv(self._mem_fd, [plan.buffer[at:end]], address)
                except (OSError, OverflowError) as error:
                    code = error.errno if isinstance(error, OSError) and error.errno else errno.EFAULT
                    raise self._failed(code, address) from None
                if not done:
                    raise self._failed(errno.ESRCH, address)
                at += done

    def _failed(self, code: int, address: int) -> MemdashError:
        if code in _GONE:
            return TargetExited(f"process {self.pid} has ended")
        if code in _DENIED:
            return AccessDenied(f"the kernel does not let memdash read the memory of process {self.pid}")
        if code in (errno.EFAULT, errno.EIO):
            return BadRead(f"address {address:#x} of process {self.pid} is not mapped")
        return BadRead(f"address {address:#x} of process {self.pid} cannot be read: {os.strerror(code)}")


class ReadPlan:
    """Places to read together, with the buffer they are read into, both allocated once.

    ``offsets[i]`` is where part ``i`` stands in the buffer; one more entry marks the end.
    """

    def __init__(
        self, memory: ProcessMemory, parts: Sequence[tuple[int, int]], held: bytearray | mmap.mmap | None = None
    ) -> None:
        """``held`` is the buffer to read into, one of its own unless given."""
        self._memory = memory
        self._remote_at, self._remote = _iovecs(parts)
        self.offsets = array("Q", accumulate((size for _, size in parts), initial=0))
        self._held = held if held is not None else _room(self.offsets[-1])
        self._held_at = ctypes.addressof(ctypes.c_char.from_buffer(self._held))
        self.buffer = memoryview(self._held)[: self.offsets[-1]]  # as long as there is one, it stays where it is
        self._batches = tuple(
            (first, min(first + _MOST_PARTS, len(parts))) for first in range(0, len(parts), _MOST_PARTS)
        )
        self._local = array("Q", (0, 0))
        self._local_at = self._local.buffer_info()[0]

    def beside(self, parts: Sequence[tuple[int, int]]) -> ReadPlan:
        """Prepare other parts, no longer together than these, to be read into the same buffer."""
        if sum(size for _, size in parts) > self.offsets[-1]:
            raise ValueError("these parts are longer than the buffer that they are to be read into")
        return ReadPlan(self._memory, parts, self._held)

    def read(self) -> memoryview:
        """Fetch all parts. The view is that of the plan's buffer: the next read overwrites it."""
        for first, last in self._batches:
            self._memory.transfer(self, first, last)
        return self.buffer

    def read_at(self, addresses: array[int]) -> memoryview:
        """Fetch the first parts, as many as there are addresses (1024 at most), from those. Aiming takes 10 µs."""
        count = len(addresses)
        self._remote[0 : 2 * count : 2] = addresses
        self._memory.transfer(self, 0, count)
        return self.buffer[: self.offsets[count]]

    def local_iovec(self, offset: int, end: int) -> int:
        """Address of a struct iovec for a piece of the buffer."""
        self._local[0] = self._held_at + offset
        self._local[1] = end - offset
        return self._local_at

    def remote_iovecs(self, first: int) -> int:
        """Address of the struct iovecs of the parts from ``first`` on."""
        return self._remote_at + _IOVEC_BYTES * first

    def address_at(self, offset: int) -> int:
        """The target's address that a place in the buffer is read from."""
        part = bisect.bisect_right(self.offsets, offset) - 1
        return self._remote[2 * part] + offset - self.offsets[part]


def _room(size: int) -> bytearray | mmap.mmap:
    """A buffer. Of a large one the pages that nothing was read into take no memory: most plans are read in part.

    An array of ctypes would be a type of its own for each size, of which a plan for other places makes one more.
    """
    if size < _MAPPED_FROM_BYTES:
        return bytearray(max(size, 1))
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def _iovecs(parts: Sequence[tuple[int, int]]) -> tuple[int, array[int]]:
    """The parts as an array of struct iovec, and its address; the array has to be kept alive."""
    try:
        vector = array("Q", chain.from_iterable(parts))
    except OverflowError:
        raise BadRead("a pointer read from the process is not an address") from None
    return vector.buffer_info()[0], vector
