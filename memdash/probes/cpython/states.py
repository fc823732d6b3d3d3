"""The thread states: one for each thread that runs Python code in an interpreter.

Source: Include/cpython/pystate.h, Include/internal/pycore_interp.h and pycore_interp_structs.h.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.record import Record

__all__ = ["ThreadState", "thread_states"]

_MOST_THREADS = 1 << 16
_MOST_INTERPRETERS = 1024
_MOST_TRIES = 8


class ThreadState(NamedTuple):
    """One thread in one interpreter. ``ident`` is Python's (the pthread), ``native_id`` the kernel's, 0 before 3.11.

    ``native_id`` is as the process itself counts: in a container not as we do.
    """

    address: int
    interpreter: int
    ident: int
    native_id: int


def thread_states(interpreter: Interpreter) -> list[ThreadState]:
    """Those of every interpreter, newest first. Some 6 µs each.

    Raises BadRead when the list changes faster than it can be read; AccessDenied, TargetExited.
    """
    layout = interpreter.layout
    members = ("next", "interp", "thread_id", "native_thread_id")
    record = Record(
        *((layout.offset("PyThreadState", name), "Q") for name in members if layout.has("PyThreadState", name))
    )
    for _ in range(_MOST_TRIES - 1):
        try:
            return list(_listed(interpreter, record))
        except BadRead:
            continue
    return list(_listed(interpreter, record))


def _listed(interpreter: Interpreter, record: Record) -> Iterator[ThreadState]:
    memory, seen = interpreter.memory, 0
    for owner, newest in _interpreters(interpreter):
        address = newest
        while address:
            following, said_owner, ident, *native_id = record.row(memory.read(*record.part(address)))
            seen += 1
            if said_owner != owner or seen > _MOST_THREADS:
                raise BadRead("its list of threads changed while it was read")
            yield ThreadState(address, owner, ident, native_id[0] & 0xFFFFFFFF if native_id else 0)
            address = following


def _interpreters(interpreter: Interpreter) -> Iterator[tuple[int, int]]:
    """Each interpreter's address and that of its newest thread; the main one comes last."""
    memory, layout = interpreter.memory, interpreter.layout
    interpreter.require_running()
    record = Record(*((layout.offset("PyInterpreterState", name), "Q") for name in ("next", "threads.head")))
    address, seen = memory.u64(interpreter.head_at), 0
    while address:
        following, newest = record.row(memory.read(*record.part(address)))
        yield address, newest
        address, seen = following, seen + 1
        if seen > _MOST_INTERPRETERS:
            raise BadRead("its list of interpreters has no end")
