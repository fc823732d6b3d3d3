"""The script that a CPython from 3.14 on runs when it is asked to from outside (PEP 768).

The path goes into the thread's own state, then its flag is raised, then its evaluation breaker: each write by itself
changes nothing before the last one, and a flag is lowered again with one write. A process that has opted out
(PYTHON_DISABLE_REMOTE_DEBUG, -X disable-remote-debug) is left alone.
"""

from __future__ import annotations

import os
import struct

from memdash.errors import LayoutRefused
from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.pending_calls import TooLong
from memdash.probes.cpython.inject.refusals import OptedOut
from memdash.probes.cpython.inject.threads import main_thread_state, thread_states
from memdash.probes.cpython.interpreter import Interpreter

__all__ = ["RemoteScript"]

_INT = struct.Struct("<i")
_PLEASE_STOP_BIT = 1 << 5
_MOST_PATH_BYTES = 4096
_MOST_STATE_BYTES = 1 << 20


class RemoteScript:
    """The request to run one script. Everything raises ProbeError and TargetError; OptedOut when it is not wanted."""

    def __init__(self, interpreter: Interpreter, to: TargetMemory, script: str) -> None:
        self._interpreter = interpreter
        self._to = to
        self._path = os.fsencode(script) + b"\0"
        memory, layout, runtime = interpreter.memory, interpreter.layout, interpreter.binary.runtime

        def stated(name: str) -> int:
            return memory.u64(runtime + layout.offset("_Py_DebugOffsets", f"debugger_support.{name}"))

        support = stated("remote_debugger_support")
        self._breaker = stated("eval_breaker")
        self._flag = support + stated("debugger_pending_call")
        self._path_at = support + stated("debugger_script_path")
        room = stated("debugger_script_path_size")
        enabled_at = stated("remote_debugging_enabled")
        if max(self._breaker, self._flag, self._path_at) > _MOST_STATE_BYTES or not 0 < room <= _MOST_PATH_BYTES:
            raise LayoutRefused("what it says of its debugger support makes no sense")
        enabled = memory.u32(interpreter.main + enabled_at)
        if enabled not in (0, 1):
            raise LayoutRefused("what it says of its debugger support makes no sense")
        if not enabled:
            raise OptedOut
        if len(self._path) > room:
            raise TooLong(f"the script's path is longer than the {room - 1} bytes that CPython takes")
        self._main = main_thread_state(interpreter)
        self._asked: set[int] = set()

    def ask_main(self) -> None:
        """Ask the main thread."""
        self._ask(self._main)

    def ask_others(self) -> None:
        """Ask those that have not been asked yet: the script is run once by each.

        A thread that ends in these very microseconds is written to after it has gone, so the main one is asked first.
        """
        for state in thread_states(self._interpreter, main_only=False):
            if state not in self._asked:
                self._ask(state)

    def is_taken(self) -> bool:
        """Whether any thread that was asked has run it."""
        return any(not flag for _, flag in self._flags())

    def withdraw(self) -> None:
        """Lower the flags that are still up, also those that were raised for the same script by one that was killed."""
        for state, flag in self._flags(anybodys=True):
            if flag == 1:
                self._to.write(state + self._flag, _INT.pack(0))

    def _ask(self, state: int) -> None:
        self._to.write(state + self._flag, _INT.pack(0))
        self._to.write(state + self._path_at, self._path)
        self._to.write(state + self._flag, _INT.pack(1))
        flags = self._interpreter.memory.read(state + self._breaker, 1)[0]
        self._to.write(state + self._breaker, bytes([flags | _PLEASE_STOP_BIT]))
        self._asked.add(state)

    def _flags(self, *, anybodys: bool = False) -> list[tuple[int, int]]:
        """The threads that hold our path, and their flags."""
        memory = self._interpreter.memory
        return [
            (state, memory.u32(state + self._flag))
            for state in thread_states(self._interpreter, main_only=False)
            if (anybodys or state in self._asked) and memory.read(state + self._path_at, len(self._path)) == self._path
        ]
