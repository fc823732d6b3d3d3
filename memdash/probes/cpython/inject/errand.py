"""Send a thread that waits in a system call on an errand in Python, from which it comes back by itself.

The thread is stopped for less than a millisecond, finds a string of calls and a signal frame on its own stack, below
what it uses, and is let go: it takes the GIL, runs the code, gives the GIL back and returns from the frame into the
system call that it was in, as from a signal handler. All of it becomes true with one system call of ours, the one that
sets its registers; before that nothing has happened, and after it nobody is needed. So we may be killed at any moment.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from memdash.probes.cpython.inject.gadgets import Gadgets
from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.ptrace import NotNow, Registers, StoppedThread
from memdash.probes.cpython.inject.signal_frame import CONTEXT_BYTES, FrameForm, context_bytes
from memdash.probes.cpython.inject.system_calls import (
    EINTR,
    ERESTART_RESTARTBLOCK,
    ERESTARTNOHAND,
    ERESTARTNOINTR,
    ERESTARTSYS,
    INTERRUPTIBLE,
    POLL,
)
from memdash.process.memory import ProcessMemory

__all__ = ["Departure", "Errand", "prepare", "resumed"]

_RED_ZONE_BYTES = 128
_SYSCALL = b"\x0f\x05"
_USER_CODE_64 = 0x33
_DIRECTION_FLAG = 0x400
_NONE = 2**64 - 1
_HAD_NO_GIL = 1
"""PyGILState_UNLOCKED: what PyGILState_Ensure returned."""

_NEGATIVE_INT = 1 << 31
_BROKEN_OFF = (EINTR, ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK)


class Errand(NamedTuple):
    """The functions that are called, and what strings them together."""

    ensure: int
    run: int
    release: int
    gadgets: Gadgets


class Departure(NamedTuple):
    """``registers`` send the stopped thread off once they are set; it is back when its stack is above ``below``."""

    registers: Registers
    below: int


def prepare(
    errand: Errand, form: FrameForm, code: bytes, thread: StoppedThread, memory: ProcessMemory, to: TargetMemory
) -> Departure:
    """Lay out below a stopped thread's stack what makes it run ``code`` and come back. Raises NotNow, UnknownState.

    The caller has seen that the thread does not hold the GIL, and that it belongs to the main interpreter.
    """
    registers = thread.registers()
    back = resumed(registers)
    if memory.read(registers.rip - len(_SYSCALL), len(_SYSCALL)) != _SYSCALL:
        raise NotNow("it did not enter the kernel as expected")
    state = form.state(thread.extended_state())
    state_at = form.state_below(registers.rsp - _RED_ZONE_BYTES)
    text = code + b"\0"
    text_at = (state_at - len(text)) & -16
    context_at = (text_at - CONTEXT_BYTES) & -16
    load, nothing = errand.gadgets.load_argument, errand.gadgets.nothing
    # Functions are entered with the stack 8 bytes off a multiple of 16, which is what the bare returns are for.
    run, release = (load, text_at, nothing, errand.run), (load, _HAD_NO_GIL, nothing, errand.release)
    calls = struct.pack("<9Q", *run, *release, errand.gadgets.return_from_signal)
    start = context_at - len(calls)
    context = context_bytes(form, back, thread.signal_mask(), state_at)
    below_text = (calls + context).ljust(text_at - start, b"\0")
    to.write(start, (below_text + text).ljust(state_at - start, b"\0") + state)
    sent = Registers.from_buffer_copy(registers)
    sent.rip, sent.rsp, sent.rax, sent.rdi, sent.orig_rax = errand.ensure, start, 0, 0, _NONE
    sent.eflags &= ~_DIRECTION_FLAG
    return Departure(sent, registers.rsp - _RED_ZONE_BYTES)


def resumed(registers: Registers) -> Registers:
    """The registers with which the thread goes on waiting, or is told EINTR where the kernel itself would tell it so.

    Raises NotNow unless it waits in a system call that it can be called out of.
    """
    number, result = registers.orig_rax, 2**64 - registers.rax
    if registers.cs != _USER_CODE_64 or number not in INTERRUPTIBLE:
        raise NotNow("it does not wait in a system call that it can be called out of")
    if result not in _BROKEN_OFF:
        raise NotNow("it has stopped waiting just now")
    back = Registers.from_buffer_copy(registers)
    back.orig_rax = _NONE
    waits_for_ever = number == POLL and registers.rdx & _NEGATIVE_INT
    if result == EINTR or (result == ERESTART_RESTARTBLOCK and not waits_for_ever):
        # It was to wait for some time, of which the kernel has lost count by the time the thread is back.
        back.rax = 2**64 - EINTR
    else:
        back.rax = number
        back.rip -= len(_SYSCALL)
    return back
