"""From asking a target to run a script to its having run it, with all that may come between. Runs in the short process.

First the main thread is only asked. One that has not run the script after 300 ms is woken, if it waits where it is safe
to wake it; else the other threads are asked as well. Whatever it waits for is said meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from memdash.errors import ProbeError, TargetExited
from memdash.probes.cpython.inject.memory import TargetMemory
from memdash.probes.cpython.inject.progress import Progress, Stage
from memdash.probes.cpython.inject.ptrace import NotNow
from memdash.probes.cpython.inject.request import Request
from memdash.probes.cpython.inject.system_calls import INTERRUPTIBLE, Standing, standing
from memdash.probes.cpython.inject.waking import Waker
from memdash.probes.cpython.interpreter import Interpreter
from memdash.process.stat import STAT_BYTES, parse_stat
from memdash.process.system_calls import FUTEX, name_of

__all__ = ["Route"]

_PATIENCE_S = 0.3
_MOST_TRIES = 4
"""So often it is tried to wake it, one patience apart: each try interrupts what the thread waits in."""

_PATIENT_LOOKS = 4
"""For so many times the patience a main thread that runs is not given up for the others."""

_RUNNING_AGAIN_S = 1.0
"""A thread that runs for so long after an errand is taken to be back: while it runs the kernel does not say where."""

_ASKED = Progress(Stage.RUNNING, "asked to run the script at the next moment that suits it")
_SENT = Progress(Stage.RUNNING, "woken to run the script")
_RAN = Progress(
    Stage.RAN,
    "the script has run",
    "if nothing comes of it, its code could not start in the target: start it under memdash, memdash -- COMMAND",
)
_STOPPED = Progress(Stage.WAITING, "it is stopped: the script will run when it continues", "kill -CONT continues it")


class Route:
    """One attempt. ``step`` again and again until it says RAN, ``withdraw`` at any time. Both raise what went wrong."""

    def __init__(self, interpreter: Interpreter, to: TargetMemory, request: Request) -> None:
        self._pid = interpreter.memory.pid
        self._to = to
        self._request = request
        self._waker = Waker(interpreter, to)
        self._steps = self._all_steps()

    def step(self) -> Progress:
        """Look, and do what is to be done by now. Raises ProbeError, TargetError."""
        return next(self._steps, _RAN)

    def withdraw(self) -> None:
        """Leave nothing that may still be run. What has been sent on an errand comes back by itself."""
        self._to.require_same()
        self._request.withdraw()

    def _all_steps(self) -> Iterator[Progress]:
        self._to.require_same()
        self._request.ask_main(sleeps=self._standing().number is not None)
        yield from self._until_taken(_ASKED)
        tries, looks, why = _MOST_TRIES, _PATIENT_LOOKS, ""
        while not self._request.is_taken():
            meanwhile, stands = self._waiting(why)
            if meanwhile is _STOPPED or not tries or stands.number not in {FUTEX, *INTERRUPTIBLE}:
                looks -= 1
                if stands.number is not None or looks < 0:
                    self._request.ask_others()
                elif looks == _PATIENT_LOOKS - 1:
                    self._request.hurry()
                yield from self._until_taken(meanwhile)
                continue
            tries -= 1
            try:
                below = self._wake(stands)
            except NotNow as error:
                why = f"memdash cannot wake it: {error.what}"
            except ProbeError as error:
                tries, why = 0, f"memdash cannot wake it: {error.what}"
            else:
                if below:
                    yield from self._until_back(below)
                    return
                yield from self._until_taken(_SENT)

    def _wake(self, stands: Standing) -> int:
        """The stack pointer above which an errand that is all there is to do is over, else 0."""
        if stands.number == FUTEX:
            self._request.prepare_lock()
            self._waker.end_wait_for_lock()
            return 0
        below = self._waker.send(self._request.errand, self._request.hand_over)
        return below if self._request.is_errand_all else 0

    def _until_taken(self, meanwhile: Progress) -> Iterator[Progress]:
        until_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until_s and not self._request.is_taken():
            yield meanwhile

    def _until_back(self, below: int) -> Iterator[Progress]:
        until_s = time.monotonic() + _RUNNING_AGAIN_S
        while time.monotonic() < until_s:
            stands = self._standing()
            if stands.stack > below:
                return
            if stands.number is not None:
                until_s = time.monotonic() + _RUNNING_AGAIN_S
            yield _SENT

    def _waiting(self, why: str) -> tuple[Progress, Standing]:
        try:
            with open(f"/proc/{self._pid}/task/{self._pid}/stat", "rb", buffering=0) as file:
                stat = parse_stat(file.read(STAT_BYTES) or b"")
        except OSError:
            raise TargetExited(f"process {self._pid} has ended") from None
        stands = self._standing()
        if stat.is_stopped:
            return _STOPPED, stands
        if stands.number is None:
            words = "waiting for its main thread, which is busy in code that is not Python's"
        elif stands.number < 0:
            words = "waiting for its main thread, which the kernel holds up"
        else:
            words = f"waiting for it to wake, blocked in {name_of(stands.number)}"
        return Progress(Stage.WAITING, words, why), stands

    def _standing(self) -> Standing:
        try:
            return standing(self._pid, self._pid)
        except PermissionError as error:
            raise ProbeError(f"the kernel does not say what it waits for: {error.strerror}") from None
        except OSError:
            raise TargetExited(f"process {self._pid} has ended") from None
