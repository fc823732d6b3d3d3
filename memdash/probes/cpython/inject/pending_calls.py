"""The queue of calls that a CPython runs at the next moment that suits it, written to from outside.

As Py_AddPendingCall(PyRun_SimpleString, code) would: a free slot gets the call, the code stands in free slots that the
ring reaches last. Before 3.12 the main thread takes such calls, from 3.12 on any thread that runs Python code. The
order of the writes is such that after each of them the queue makes sense: a writer that is killed leaves at most a call
that is run later, or never. What has been queued is never taken out again, which could not be done safely: its code is
emptied, with one byte.

Not covered: the target itself queueing a call within the same 10 µs, one of the two may then be lost. Few programs ever
do, and a signal does not. To stop all threads meanwhile would interrupt what each of them waits in.
"""

from __future__ import annotations

import struct

from memdash.errors import LayoutRefused, ProbeError
from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.threads import thread_states
from memdash.probes.cpython.interpreter import Interpreter

__all__ = ["PendingCall", "TooLong"]

_INT = struct.Struct("<i")
_CALL = struct.Struct("<QQ")
_FUNCTION = "PyRun_SimpleString"
_PER_THREAD_SINCE_MINOR = 13
_IN_RUNTIME_UNTIL_MINOR = 8
_CALLS_TO_DO_BIT = 1 << 2
_KNOWN_LIMITS = (32, 300)


class TooLong(ProbeError):
    """The code does not fit into the free slots."""


class PendingCall:
    """One call of ours in the queue of the main interpreter. Everything raises ProbeError and TargetError.

    From 3.13 on there is another queue ``for_main``, the main thread.
    """

    def __init__(self, interpreter: Interpreter, to: TargetMemory, *, for_main: bool = False) -> None:
        self._interpreter = interpreter
        self._to = to
        layout, minor = interpreter.layout, interpreter.version.minor
        function = interpreter.binary.exported(_FUNCTION)
        if function is None:
            raise LayoutRefused(
                f"its interpreter does not offer {_FUNCTION} to others", "start it under memdash instead"
            )
        self._function = function
        owner, self._struct = interpreter.main, "PyInterpreterState"
        if minor <= _IN_RUNTIME_UNTIL_MINOR:
            owner, self._struct = interpreter.binary.runtime, "_PyRuntimeState"
        self._owner = owner
        self._ring = owner + layout.offset(self._struct, "ceval.pending")
        if for_main:
            self._ring = interpreter.binary.runtime + layout.offset("_PyRuntimeState", "ceval.pending_mainthread")
        self._calls = self._ring + layout.offset("_pending_calls", "calls")
        self._slots = layout.constants["PENDINGCALLSARRAYSIZE"]
        self._slot_bytes = layout.constants["sizeof(_pending_call)"]
        self._count_at = layout.offset("_pending_calls", "npending")
        self._is_counted = minor >= _PER_THREAD_SINCE_MINOR  # before, the number was only a hint
        self._slot = -1
        self._code_at = 0

    def queue(self, code: bytes) -> None:
        """Queue the code, of which no thread is told yet.

        One that still waits from before, of ours or of another memdash, gets the code instead.
        """
        first, following, waiting = self._state()
        if first != following:
            self._take_over(first, following, code + b"\0")
            if self._is_counted and not waiting:  # as one leaves it that is killed between the two
                self._to.write(self._ring + self._count_at, _INT.pack(1))
            if self._state()[0] == first:
                self._slot = first
                return
            first, following, waiting = self._state()  # it was taken meanwhile, with whichever code
        if first != following or waiting:
            raise LayoutRefused("its queue of pending calls is busy", "try again in a moment")
        self._queue_at(first, code + b"\0")
        self._slot = first

    def adopt(self, code: bytes) -> None:
        """Take for our own the same code that another, who is gone by now, has queued; if it still waits."""
        first, following, _ = self._state()
        if self._slot >= 0 or (first + 1) % self._slots != following:
            return
        code_at = self._code_of(first)
        if code_at and self._interpreter.memory.read(code_at, len(code)) == code:
            self._slot, self._code_at = first, code_at

    def hurry(self, *, main_only: bool) -> None:
        """Make the threads that run Python code look at the queue at once."""
        layout = self._interpreter.layout
        if self._interpreter.version.minor < _PER_THREAD_SINCE_MINOR:
            self._to.write(self._ring + self._count_at, _INT.pack(1))
            self._to.write(self._owner + layout.offset(self._struct, "ceval.eval_breaker"), _INT.pack(1))
            return
        breaker = layout.offset("PyThreadState", "eval_breaker")
        for state in thread_states(self._interpreter, main_only=main_only):
            # Its lowest byte: above the flags stands a number that belongs to sys.monitoring.
            flags = self._interpreter.memory.read(state + breaker, 1)[0]
            self._to.write(state + breaker, bytes([flags | _CALLS_TO_DO_BIT]))

    def is_taken(self) -> bool:
        """Whether it has been taken out of the queue, to be run."""
        return self._slot >= 0 and self._state()[0] != self._slot

    def silence(self) -> None:
        """Leave nothing to run in it, if it is still there."""
        if self._slot >= 0 and not self.is_taken():
            self._to.write(self._code_at, b"\0")
            if self._interpreter.version.minor <= _IN_RUNTIME_UNTIL_MINOR:
                self._calm()

    def _calm(self) -> None:
        """In 3.8 every thread looks for calls to do at every turn, which only the main thread may then take.

        Measured: while one waits for a sleeping main thread the others run at 0.65 of their speed.
        """
        layout = self._interpreter.layout
        self._to.write(self._ring + self._count_at, _INT.pack(0))
        self._to.write(self._owner + layout.offset(self._struct, "ceval.eval_breaker"), _INT.pack(0))

    def _state(self) -> tuple[int, int, int]:
        """First and following index, and the calls that wait. Raises LayoutRefused unless they make sense."""
        layout, memory = self._interpreter.layout, self._interpreter.memory
        names = ("first", "next", "npending")
        at = [self._ring + layout.offset("_pending_calls", name) for name in names]
        first, following, waiting = (_INT.unpack(memory.read(address, _INT.size))[0] for address in at)
        has_sense = 0 <= first < self._slots and 0 <= following < self._slots and 0 <= waiting <= self._slots
        if has_sense and layout.has("_pending_calls", "max"):
            limit = memory.u32(self._ring + layout.offset("_pending_calls", "max"))
            has_sense = limit in _KNOWN_LIMITS
        if not has_sense:
            raise LayoutRefused("its queue of pending calls is not where it is expected")
        return first, following, waiting

    def _queue_at(self, slot: int, text: bytes) -> None:
        self._code_at = self._place(slot, len(text))
        self._to.write(self._code_at, text)
        call = _CALL.pack(self._function, self._code_at)
        self._to.write(self._calls + slot * self._slot_bytes, call.ljust(self._slot_bytes, b"\0"))
        next_at = self._ring + self._interpreter.layout.offset("_pending_calls", "next")
        parts = [(next_at, _INT.pack((slot + 1) % self._slots))]
        if self._is_counted:
            parts.append((self._ring + self._count_at, _INT.pack(1)))
        self._to.write_together(parts)

    def _take_over(self, first: int, following: int, text: bytes) -> None:
        code_at = self._code_of(first)
        if not code_at or (first + 1) % self._slots != following:
            raise LayoutRefused("calls of its own wait in its queue", "try again in a moment")
        end = self._calls + self._slots * self._slot_bytes
        slot_at = self._calls + first * self._slot_bytes
        if len(text) > (slot_at if code_at < slot_at else end) - code_at:
            raise TooLong("the script's path is longer than that of an earlier one that still waits to be run")
        self._code_at = code_at
        self._to.write(code_at, b"\0")
        self._to.write(code_at + 1, text[1:])
        self._to.write(code_at, text[:1])

    def _code_of(self, slot: int) -> int:
        """Where the code of a call of ours is, 0 for one of the target's own: that has none in the queue itself."""
        call = self._interpreter.memory.read(self._calls + slot * self._slot_bytes, _CALL.size)
        function, code_at = _CALL.unpack(call)
        end = self._calls + self._slots * self._slot_bytes
        return code_at if function == self._function and self._calls <= code_at < end else 0

    def _place(self, first: int, size: int) -> int:
        """Where the code may stand: in one piece, and as far ahead in the ring as it gets."""
        needed = -(-size // self._slot_bytes)
        if needed <= first:
            start = first - needed
        elif needed < self._slots - first - 1:
            start = self._slots - needed
        else:
            raise TooLong("the script's path is too long for the queue of pending calls")
        return self._calls + start * self._slot_bytes
