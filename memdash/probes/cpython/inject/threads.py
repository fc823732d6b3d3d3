"""The thread states of the main interpreter, as far as an injection needs them."""

from __future__ import annotations

from collections.abc import Iterator

from memdash.errors import LayoutRefused
from memdash.probes.cpython.gil import Gils
from memdash.probes.cpython.interpreter import Interpreter

__all__ = ["holds_gil", "main_thread_state", "state_of", "thread_states"]

_MOST_THREADS = 10_000


def thread_states(interpreter: Interpreter, *, main_only: bool) -> Iterator[int]:
    """Addresses of PyThreadState, from 3.13 on also only that of the main thread. Raises BadRead."""
    layout, memory = interpreter.layout, interpreter.memory
    if main_only:
        yield main_thread_state(interpreter)
        return
    next_at = layout.offset("PyThreadState", "next")
    found = memory.u64(interpreter.main + layout.offset("PyInterpreterState", "threads.head"))
    for _ in range(_MOST_THREADS):
        if not found:
            return
        yield found
        found = memory.u64(found + next_at)


def main_thread_state(interpreter: Interpreter) -> int:
    """Kept from 3.13 on. Raises LayoutRefused when the interpreter has none, as while it ends."""
    found = interpreter.memory.u64(interpreter.main + interpreter.layout.offset("PyInterpreterState", "threads.main"))
    if found not in thread_states(interpreter, main_only=False):
        raise LayoutRefused("its interpreter has no main thread")
    return found


def state_of(interpreter: Interpreter, thread_pointer: int) -> int | None:
    """The state of the thread whose pthread_t is ``thread_pointer``; None when it is no thread of Python's."""
    at = interpreter.layout.offset("PyThreadState", "thread_id")
    for state in thread_states(interpreter, main_only=False):
        if interpreter.memory.u64(state + at) == thread_pointer:
            return state
    return None


def holds_gil(interpreter: Interpreter, state: int) -> bool:
    """Whether the thread, which stands still, holds the GIL. Raises LayoutRefused when that is not to be told."""
    gils = Gils(interpreter)
    gil = min(gils.of([interpreter.main]), default=0)
    holder, locked = gils.look(gil)
    if locked not in (0, 1):
        raise LayoutRefused("its GIL is not where it is expected")
    return locked == 1 and holder == state
