"""What is asked of a target, by the route that its version has: the same few verbs for both."""

from __future__ import annotations

from typing import Protocol

from memdash.errors import LayoutRefused
from memdash.probes.cpython.inject.hooks import require_no_hooks
from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.pending_calls import PendingCall
from memdash.probes.cpython.inject.refusals import require_descriptor
from memdash.probes.cpython.inject.remote_script import RemoteScript
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.refusals import SYSTEM_VIEW

__all__ = ["Request", "request_for"]

_REMOTE_SCRIPT_SINCE_MINOR = 14
_KEEPS_ALL_BUSY_UNTIL_MINOR = 8
_CODE = """\
try:
 try:exec((lambda f:(f.read(),f.close())[0])(__import__('io').open({!a},'rb')),{{}})
 except KeyboardInterrupt:(lambda t:t.start_new_thread(t.interrupt_main,()))(__import__('_thread'))
except:0
"""
"""Run in __main__, where it leaves no name behind. A ctrl+c that falls into it is raised again after it: by another
thread, since in the same one it would be raised at once.
"""

_LOOK_AROUND = b"0"
"""Any Python code: while it runs, the interpreter looks at what has been asked of the thread."""


class Request(Protocol):
    """A request to run one script. Everything raises ProbeError and TargetError.

    ``errand`` is the code that a main thread sent on an errand has to run; ``is_errand_all`` whether that is the script
    itself.
    """

    errand: bytes
    is_errand_all: bool

    def ask_main(self, *, sleeps: bool) -> None:
        """Ask the main thread, which is or is not asleep."""

    def hurry(self) -> None:
        """The main thread is awake by now: see to it that it looks."""

    def prepare_lock(self) -> None:
        """Make ready for a main thread whose wait for a lock is about to be interrupted."""

    def ask_others(self) -> None:
        """Ask the others too, if any of them may run it."""

    def hand_over(self) -> bool:
        """Give the request up in favour of an errand with ``errand``; False when it has been taken just now."""

    def is_taken(self) -> bool:
        """Whether the script has been run, or is about to be."""

    def withdraw(self) -> None:
        """Leave nothing to run, also of what one that was killed has asked for the same script."""


def request_for(interpreter: Interpreter, to: TargetMemory, script: str) -> Request:
    """By the route of its version. Raises ProbeError, such as OptedOut, Hooked and TooLong, and TargetError."""
    layout, runtime = interpreter.layout, interpreter.binary.runtime
    if interpreter.memory.u64(runtime + layout.offset("_PyRuntimeState", "_finalizing")):
        raise LayoutRefused("its interpreter is being shut down", SYSTEM_VIEW)
    require_no_hooks(interpreter)
    if interpreter.version.minor < _REMOTE_SCRIPT_SINCE_MINOR:
        return _ByPendingCall(interpreter, to, script)
    require_descriptor(interpreter.memory.pid)
    return _ByRemoteScript(interpreter, to, script)


class _ByPendingCall:
    """3.8 to 3.13."""

    is_errand_all = True

    def __init__(self, interpreter: Interpreter, to: TargetMemory, script: str) -> None:
        self._call = PendingCall(interpreter, to)
        self._keeps_all_busy = interpreter.version.minor <= _KEEPS_ALL_BUSY_UNTIL_MINOR
        self.errand = _CODE.format(script).encode("ascii")
        self.is_taken = self._call.is_taken

    def ask_main(self, *, sleeps: bool) -> None:
        self._call.queue(self.errand)
        if not (sleeps and self._keeps_all_busy):
            self.hurry()

    def ask_others(self) -> None:
        self._call.hurry(main_only=False)

    def hurry(self) -> None:
        self._call.hurry(main_only=True)

    def prepare_lock(self) -> None:
        self.hurry()

    def hand_over(self) -> bool:
        if self._call.is_taken():
            return False
        self._call.silence()
        if not self._call.is_taken():
            return True
        self.ask_main(sleeps=False)  # another thread has taken it just now, silenced or not: it may run twice
        return False

    def withdraw(self) -> None:
        self._call.adopt(self.errand)
        self._call.silence()


class _ByRemoteScript:
    """3.14 and newer."""

    errand = _LOOK_AROUND
    is_errand_all = False

    def __init__(self, interpreter: Interpreter, to: TargetMemory, script: str) -> None:
        self._interpreter, self._to = interpreter, to
        asked = RemoteScript(interpreter, to, script)
        self._asked = asked
        self.ask_others, self.is_taken, self.withdraw = asked.ask_others, asked.is_taken, asked.withdraw

    def ask_main(self, *, sleeps: bool) -> None:  # noqa: ARG002 - its flag is its own
        self._asked.ask_main()

    def hurry(self) -> None:
        """It has been told already."""

    def prepare_lock(self) -> None:
        """An interrupted wait for a lock only looks for calls to do."""
        call = PendingCall(self._interpreter, self._to, for_main=True)
        call.queue(_LOOK_AROUND)
        call.hurry(main_only=True)

    def hand_over(self) -> bool:
        return not self.is_taken()
