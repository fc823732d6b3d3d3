"""Functions of the target's own that CPython calls before and while it runs code, and that may refuse or break it.

An audit hook may raise before a script's first line is reached, a trace or profile function at it: no ``try`` of the
script covers that, and up to 3.13 the failure is one of the code that the target happens to run then.
"""

from __future__ import annotations

from memdash.errors import ProbeError
from memdash.probes.cpython.inject.refusals import START_IT
from memdash.probes.cpython.inject.threads import thread_states
from memdash.probes.cpython.interpreter import Interpreter

__all__ = ["Hooked", "require_no_hooks"]

_OF_THREADS = {"c_tracefunc": "trace", "c_profilefunc": "profile"}


class Hooked(ProbeError):
    """What is run in the process is watched by the process itself."""


def require_no_hooks(interpreter: Interpreter) -> None:
    """Raises Hooked, BadRead. 10 µs and 5 µs a thread. A hook that is added just after it is not seen."""
    layout, memory = interpreter.layout, interpreter.memory
    for holder, struct, member in (
        (interpreter.binary.runtime, "_PyRuntimeState", "audit_hooks.head"),
        (interpreter.main, "PyInterpreterState", "audit_hooks"),
    ):
        if memory.u64(holder + layout.offset(struct, member)):
            raise Hooked("it has an audit hook, which may break whatever is run in it", START_IT)
    for state in thread_states(interpreter, main_only=False):
        for member, words in _OF_THREADS.items():
            if memory.u64(state + layout.offset("PyThreadState", member)):
                raise Hooked(
                    f"a {words} function is set in it, as by a debugger, coverage or a profiler: it may break on what "
                    "is run there",
                    f"try again when that is over, or {START_IT}",
                )
