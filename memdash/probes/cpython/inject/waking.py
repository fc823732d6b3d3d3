"""Wake a main thread that waits, so that it runs Python code: by an errand, or by ending a wait for a lock early.

A wait for a lock (futex) is ended as a signal would end it: Python looks at what is pending and waits on. In a lock no
errand is safe, and what waits in neither of the two ways is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from memdash.errors import LayoutRefused, ProbeError
from memdash.probes.cpython.inject.errand import Errand, prepare
from memdash.probes.cpython.inject.gadgets import find_gadgets
from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.ptrace import NotNow, Registers, StoppedThread
from memdash.probes.cpython.inject.rehearsal import rehearsed_form
from memdash.probes.cpython.inject.system_calls import EINTR, ERESTART_RESTARTBLOCK, ERESTARTSYS
from memdash.probes.cpython.inject.threads import holds_gil, state_of
from memdash.probes.cpython.interpreter import Interpreter
from memdash.process.system_calls import FUTEX

__all__ = ["Waker"]

_NONE = 2**64 - 1
_STACK = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw\S* .*\[stack\]$", re.MULTILINE)
_SHADOW_STACK = re.compile(r"^x86_Thread_features:.*\bshstk\b", re.MULTILINE)


class Waker:
    """Works on the main thread of one target. Everything raises ProbeError and TargetError when it did not work."""

    def __init__(self, interpreter: Interpreter, to: TargetMemory) -> None:
        self._interpreter = interpreter
        self._to = to
        self._pid = interpreter.memory.pid

    def end_wait_for_lock(self) -> None:
        """Let the thread find that its wait for a lock was interrupted. Raises NotNow when it waits for none."""
        with StoppedThread(self._pid) as thread:
            registers = thread.registers()
            result = 2**64 - registers.rax
            if registers.orig_rax != FUTEX or result not in (ERESTARTSYS, ERESTART_RESTARTBLOCK):
                raise NotNow("it does not wait for a lock")
            told = Registers.from_buffer_copy(registers)
            told.rax, told.orig_rax = 2**64 - EINTR, _NONE
            self._to.require_same()
            thread.set_registers(told)

    def send(self, code: bytes, may_go: Callable[[], bool]) -> int:
        """Send it to run ``code``, if ``may_go`` says so when it stands; it is back when its stack is above this."""
        errand, form = self._errand(), rehearsed_form()
        if _SHADOW_STACK.search(self._read("status")):
            raise ProbeError("it has a shadow stack")
        stack = self._stack()
        with StoppedThread(self._pid) as thread:
            self._require_free(thread.registers(), stack)
            departure = prepare(errand, form, code, thread, self._interpreter.memory, self._to)
            self._to.require_same()
            if not may_go():
                raise NotNow("it has woken just now")
            thread.set_registers(departure.registers)
            return departure.below

    def _require_free(self, registers: Registers, stack: range) -> None:
        state = state_of(self._interpreter, registers.fs_base)
        if state is None:
            raise NotNow("its main thread is not one of Python's")
        if holds_gil(self._interpreter, state):
            raise NotNow("it waits without letting other threads run Python code")
        if registers.rsp not in stack:
            raise NotNow("it runs on a stack of its own making")

    @cache  # noqa: B019 - lives as long as the one waker of a short process
    def _errand(self) -> Errand:
        exported = self._interpreter.binary.exported
        functions = [exported(name) for name in ("PyGILState_Ensure", "PyRun_SimpleString", "PyGILState_Release")]
        ensure, run, release = (address or 0 for address in functions)
        if None in functions:
            raise LayoutRefused("its interpreter does not offer PyGILState_Ensure to others")
        if self._interpreter.others():
            raise ProbeError("it has sub-interpreters")
        return Errand(ensure, run, release, find_gadgets(self._interpreter.memory))

    def _stack(self) -> range:
        match = _STACK.search(self._read("maps"))
        if match is None:
            raise NotNow("it has no ordinary stack")
        return range(int(match[1], 16), int(match[2], 16))

    def _read(self, name: str) -> str:
        try:
            with open(f"/proc/{self._pid}/{name}", encoding="utf-8", errors="backslashreplace") as file:
                return file.read()
        except OSError as error:
            raise ProbeError(f"its {name} cannot be read: {error.strerror}") from None
