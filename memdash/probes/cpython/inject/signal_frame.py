"""The frame that the kernel restores a thread from when a signal handler returns, built by hand.

``rt_sigreturn`` takes every register, the vector state and the signal mask from the stack. A thread that is sent
somewhere with such a frame beneath it comes back by itself: nobody needs to stay to put it back. What the kernel
expects of the vector state differs by processor and kernel, so it is looked up in a frame that the kernel makes for a
signal of our own. Source: sigreturn(2), arch/x86/include/uapi/asm/sigcontext.h.
"""

from __future__ import annotations

import ctypes
import signal
import struct
from dataclasses import dataclass

from memdash.errors import ProbeError
from memdash.probes.cpython.inject.ptrace import Registers

__all__ = ["CONTEXT_BYTES", "FrameForm", "UnknownState", "context_bytes", "form_of_frames"]

_ORDER = (
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp", "rip",
    "eflags",
)  # fmt: skip
"""The registers as struct sigcontext has them."""

_HEAD = struct.Struct("<QQQiiQ")
"""uc_flags, uc_link, and uc_stack: its address, flags and size."""

_MACHINE = struct.Struct("<18Q4H4QQ64x")
"""struct sigcontext: the registers, cs, gs, fs, ss, err, trapno, oldmask, cr2, and where the vector state is."""

CONTEXT_BYTES = _HEAD.size + _MACHINE.size + 8
_STATE_POINTER_AT = _HEAD.size + 18 * 8 + 4 * 2 + 4 * 8
_NO_CHANGE = 0x7F
"""No valid mode of an alternate signal stack: the kernel then leaves the thread's own as it is."""

_SW_AT, _SW = 464, struct.Struct("<IIQI28x")
"""struct _fpx_sw_bytes within the state: magic1, extended_size, xfeatures, xstate_size."""

_MAGIC1, _MAGIC2 = 0x46505853, struct.pack("<I", 0x46505845)
_FEATURES_IN_USE_AT = 512
_COMPACTED_AT = 520
_SMALLEST_STATE_BYTES = 576
_ALIGNMENT = 64


class UnknownState(ProbeError):
    """The processor's state is not of a form that could be put back."""


@dataclass(frozen=True, slots=True)
class FrameForm:
    """How this kernel writes a frame: its flags, and which features of the processor the state covers."""

    flags: int
    features: int
    state_bytes: int

    def state(self, traced: bytes) -> bytes:
        """What a frame holds for the state that ptrace shows. Raises UnknownState when it would lose some of it."""
        if len(traced) < self.state_bytes:
            raise UnknownState("the kernel shows less of the processor's state than it puts back")
        in_use, compacted = struct.unpack_from("<QQ", traced, _FEATURES_IN_USE_AT)
        if in_use & ~self.features or compacted:
            raise UnknownState("the thread uses more of the processor's state than a signal frame holds")
        state = bytearray(traced[: self.state_bytes])
        _SW.pack_into(state, _SW_AT, _MAGIC1, self.state_bytes + len(_MAGIC2), self.features, self.state_bytes)
        return bytes(state) + _MAGIC2

    def state_below(self, top: int) -> int:
        """Where the state has to begin so that it ends below ``top``."""
        return (top - self.state_bytes - len(_MAGIC2)) & -_ALIGNMENT


def context_bytes(form: FrameForm, registers: Registers, mask: int, state_at: int) -> bytes:
    """A struct ucontext: what ``rt_sigreturn`` reads, beginning at the stack pointer."""
    values = [getattr(registers, name) for name in _ORDER]
    segments = (registers.cs, registers.gs, registers.fs, registers.ss)
    head = _HEAD.pack(form.flags, 0, 0, _NO_CHANGE, 0, 0)
    return head + _MACHINE.pack(*values, *segments, 0, 0, 0, 0, state_at) + struct.pack("<Q", mask)


_Handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class _Action(ctypes.Structure):
    _fields_ = (
        ("handler", _Handler),
        ("mask", ctypes.c_byte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


_SA_SIGINFO = 4


def form_of_frames() -> FrameForm:
    """Take a signal and look at the frame that the kernel made for it. Raises UnknownState."""
    seen: list[FrameForm] = []

    def look(_number: int, _information: int, context: int) -> None:
        flags = ctypes.c_uint64.from_address(context).value
        state_at = ctypes.c_uint64.from_address(context + _STATE_POINTER_AT).value
        if state_at:
            magic, _, features, size = _SW.unpack(ctypes.string_at(state_at + _SW_AT, _SW.size))
            if magic == _MAGIC1 and size >= _SMALLEST_STATE_BYTES:
                seen.append(FrameForm(flags, features, size))

    libc = ctypes.CDLL(None, use_errno=True)
    action, before = _Action(_Handler(look), flags=_SA_SIGINFO), _Action()
    if libc.sigaction(int(signal.SIGUSR1), ctypes.byref(action), ctypes.byref(before)):
        raise UnknownState("no signal can be caught")
    try:
        libc["raise"](int(signal.SIGUSR1))
    finally:
        libc.sigaction(int(signal.SIGUSR1), ctypes.byref(before), None)
    if not seen:
        raise UnknownState("the kernel's signal frames hold no extended state")
    return seen[0]
