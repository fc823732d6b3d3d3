"""Stop one thread of another process for less than a millisecond, and read or set its registers. x86-64 only.

PTRACE_SEIZE and PTRACE_INTERRUPT: no signal is sent, and when the tracer ends, however it ends, the kernel lets the
thread go on. A system call that waits is broken off as by a signal: most go on by themselves, epoll_wait gives EINTR.
Source: ptrace(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
import time
from typing import Any, Self

from memdash.errors import ProbeError, TargetExited

__all__ = ["NotStopped", "Registers", "StoppedThread"]

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_GETREGS, _SETREGS, _GETREGSET, _GETSIGMASK = 12, 13, 0x4204, 0x420A
_NT_X86_XSTATE = 0x202
_WALL = 0x40000000
_EVENT_STOP = 128
_LARGEST_STATE_BYTES = 1 << 16
_PATIENCE_S = 2.0

_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.restype = ctypes.c_long
_ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


class NotStopped(ProbeError):
    """The thread could not be stopped, or not at a moment at which it may be worked on."""


class Registers(ctypes.Structure):
    """struct user_regs_struct."""

    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in (
            "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
            "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
        )
    )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class StoppedThread:
    """A context manager; within it the thread stands still.

    Raises NotStopped, also when it is about to take a signal or stands still by one already, and TargetExited.
    """

    def __init__(self, thread: int) -> None:
        self._thread = thread

    def __enter__(self) -> Self:
        try:
            _request(_SEIZE, self._thread)
        except PermissionError:
            raise NotStopped("the kernel does not let memdash stop it") from None
        try:
            _request(_INTERRUPT, self._thread)
            event, number = self._stop()
            if event != _EVENT_STOP or number != signal.SIGTRAP:
                self._let_go(0 if event == _EVENT_STOP else number)
                raise NotStopped("a signal is on its way to it")
        except OSError as error:
            raise NotStopped(f"it cannot be stopped: {error}") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go(0)

    def _stop(self) -> tuple[int, int]:
        """(event, signal) of the stop. A thread that waits for a disk stops when that is over."""
        until_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until_s:
            pid, status = os.waitpid(self._thread, _WALL | os.WNOHANG)
            if not pid:
                time.sleep(0.0001)
                continue
            if not os.WIFSTOPPED(status):
                raise TargetExited(f"thread {self._thread} has ended")
            return status >> 16, os.WSTOPSIG(status)
        # The request to stop stays with the thread: only the end of the tracer takes it back.
        raise SystemExit(f"thread {self._thread} does not stop")

    def _let_go(self, number: int) -> None:
        try:
            _request(_DETACH, self._thread, 0, number)
        except OSError:
            return  # it was killed meanwhile

    def registers(self) -> Registers:
        """All that PTRACE_GETREGS gives."""
        registers = Registers()
        _request(_GETREGS, self._thread, 0, ctypes.addressof(registers))
        return registers

    def set_registers(self, registers: Registers) -> None:
        """One system call: the thread has all of them or none."""
        _request(_SETREGS, self._thread, 0, ctypes.addressof(registers))

    def extended_state(self) -> bytes:
        """The floating point, vector and other state in the layout of XSAVE, as long as the kernel says."""
        buffer = ctypes.create_string_buffer(_LARGEST_STATE_BYTES)
        vector = _Iovec(ctypes.addressof(buffer), _LARGEST_STATE_BYTES)
        _request(_GETREGSET, self._thread, _NT_X86_XSTATE, ctypes.addressof(vector))
        return buffer.raw[: vector.length]

    def signal_mask(self) -> int:
        """The signals it blocks once the system call that it is in is over."""
        mask = ctypes.c_uint64()
        _request(_GETSIGMASK, self._thread, struct.calcsize("Q"), ctypes.addressof(mask))
        return mask.value


def _request(request: int, thread: int, address: int = 0, data: int = 0) -> None:
    if _ptrace(request, thread, address, data) < 0:
        code = ctypes.get_errno()
        if code == errno.ESRCH and request == _SEIZE:
            raise TargetExited(f"thread {thread} has ended")
        raise OSError(code, os.strerror(code))
