"""Stop one thread of another process for less than a millisecond, and read or set its registers. x86-64 only.

PTRACE_SEIZE and PTRACE_INTERRUPT: no signal is sent, and when the tracer ends, however it ends, the kernel lets the
thread go on. A system call that waits is broken off as by a signal: most go on by themselves, epoll_wait gives EINTR.
Source: ptrace(2).
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import time
from contextlib import suppress
from typing import Self

from memdash.errors import ProbeError, TargetError, TargetExited

__all__ = ["NotNow", "Registers", "StoppedThread"]

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_GETREGS, _SETREGS, _GETREGSET, _GETSIGMASK = 12, 13, 0x4204, 0x420A
_NT_X86_XSTATE = 0x202
_WALL = 0x40000000
_EVENT_STOP = 128
_LARGEST_STATE_BYTES = 1 << 16
_STATUS_BYTES = 4096
_SIGNAL_SET_BYTES = 8
_PATIENCE_S, _PAUSE_S = 2.0, 0.0001

_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.restype = ctypes.c_long
_ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


class NotNow(ProbeError):
    """The thread is not where it could be worked on; it may be a moment later."""


class Registers(ctypes.Structure):
    """struct user_regs_struct."""

    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in (
            "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi",
            "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds", "es", "fs", "gs",
        )
    )  # fmt: skip


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class StoppedThread:
    """A context manager; within it the thread stands still.

    Raises NotNow when the thread is about to take a signal or has been stopped by one, ProbeError when it is not to be
    traced, TargetExited, and TargetError when it does not stop: only the end of this process takes that request back.
    """

    def __init__(self, thread: int) -> None:
        self._thread = thread

    def __enter__(self) -> Self:
        try:
            _request(_SEIZE, self._thread)
        except PermissionError:
            raise ProbeError(_why_not(self._thread)) from None
        except OSError:
            raise TargetExited(f"thread {self._thread} has ended") from None
        try:
            _request(_INTERRUPT, self._thread)
        except OSError:
            raise TargetExited(f"thread {self._thread} has ended") from None
        event, number = self._stop()
        if event != _EVENT_STOP or number != signal.SIGTRAP:
            self._let_go(0 if event == _EVENT_STOP else number)
            raise NotNow("a signal is on its way to it")
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go(0)

    def _stop(self) -> tuple[int, int]:
        """(event, signal) of the stop. A thread that waits for a disk stops when that is over."""
        until_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until_s:
            pid, status = os.waitpid(self._thread, _WALL | os.WNOHANG)
            if not pid:
                time.sleep(_PAUSE_S)
            elif os.WIFSTOPPED(status):
                return status >> 16, os.WSTOPSIG(status)
            else:
                raise TargetExited(f"thread {self._thread} has ended")
        raise TargetError(f"thread {self._thread} does not stop: the kernel holds it up", "try again in a moment")

    def _let_go(self, number: int) -> None:
        with suppress(OSError):  # it was killed meanwhile
            _request(_DETACH, self._thread, 0, number)

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
        _request(_GETSIGMASK, self._thread, _SIGNAL_SET_BYTES, ctypes.addressof(mask))
        return mask.value


def _request(request: int, thread: int, address: int = 0, data: int = 0) -> None:
    if _ptrace(request, thread, address, data) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _why_not(thread: int) -> str:
    with suppress(OSError, IndexError), open(f"/proc/{thread}/status", "rb", buffering=0) as file:
        tracer = int(re.findall(rb"^TracerPid:\t(\d+)$", file.read(_STATUS_BYTES) or b"", re.MULTILINE)[0])
        if tracer:
            return f"process {tracer} traces it already"
    return "the kernel does not let memdash stop it"
