"""The way back from an errand, tried on a process of our own before any other is sent on one.

The kernel's checks of a signal frame differ by kernel and processor; one that it does not like ends the thread.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from functools import cache

from memdash.probes.cpython.inject.errand import resumed
from memdash.probes.cpython.inject.gadgets import find_gadgets
from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.ptrace import Registers, StoppedThread
from memdash.probes.cpython.inject.signal_frame import (
    CONTEXT_BYTES,
    FrameForm,
    UnknownState,
    context_bytes,
    form_of_frames,
)
from memdash.probes.cpython.inject.system_calls import PAUSE, standing
from memdash.process.identity import identify
from memdash.process.memory import ProcessMemory

__all__ = ["rehearsed_form"]

_PATIENCE_S = 1.0
_LONGEST_LIFE_S = 5
"""The process ends by itself, should we be killed."""

_NONE = 2**64 - 1
_FAR_BELOW_BYTES = 1024


@cache
def rehearsed_form() -> FrameForm:
    """How frames look here, shown to work. 10 ms, once. Raises UnknownState, and whatever keeps us from tracing."""
    form = form_of_frames()
    pause = ctypes.CDLL(None).pause
    pid = os.fork()
    if not pid:
        signal.alarm(_LONGEST_LIFE_S)
        while True:
            pause()
    try:
        _await_pause(pid)
        before, state_before = _there_and_back(pid, form)
        _await_pause(pid)
        with StoppedThread(pid) as thread:
            after, state_after = thread.registers(), form.state(thread.extended_state())
        if state_after != state_before or bytes(after) != bytes(before):
            raise UnknownState("a signal frame does not put everything back on this kernel")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return form


def _there_and_back(pid: int, form: FrameForm) -> tuple[Registers, bytes]:
    with ProcessMemory(pid) as memory, TargetMemory(identify(pid)) as to, StoppedThread(pid) as thread:
        registers = thread.registers()
        state = form.state(thread.extended_state())
        state_at = form.state_below(registers.rsp - _FAR_BELOW_BYTES)
        context_at = (state_at - CONTEXT_BYTES) & -16
        to.write(state_at, state)
        to.write(context_at, context_bytes(form, resumed(registers), thread.signal_mask(), state_at))
        sent = Registers.from_buffer_copy(registers)
        sent.rip, sent.rsp, sent.orig_rax = find_gadgets(memory).return_from_signal, context_at, _NONE
        thread.set_registers(sent)
        return registers, state


def _await_pause(pid: int) -> None:
    until_s = time.monotonic() + _PATIENCE_S
    while standing(pid, pid).number != PAUSE:
        if time.monotonic() > until_s or os.waitpid(pid, os.WNOHANG)[0]:
            raise UnknownState("a thread does not come back from a signal frame on this kernel")
        time.sleep(0.001)
