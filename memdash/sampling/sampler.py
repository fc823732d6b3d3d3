"""The thread that reads the target on absolute deadlines.

A plain daemon thread: it works headless, blocks in system calls without holding the GIL, and never holds up exit. It
waits neither for whoever listens to it nor for what is being done to the target.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from memdash.errors import MemdashError, TargetExited, defects_told
from memdash.model.action import Action, Deed
from memdash.model.missing import Maybe
from memdash.model.sample import Sample
from memdash.model.target import Ending, Silence
from memdash.sampling.clock import Clock
from memdash.sampling.doer import Doer
from memdash.sampling.roster import Roster

__all__ = ["Listener", "Sampler", "Watch"]

_SETTLE_S = 1.0
"""How long to look for the reason when reading says that the target is gone before the kernel does."""


class Watch(Protocol):
    """Knows whether the target is still the one that was pinned."""

    def check(self) -> Ending | None:
        """How it ended, or None while it lives."""

    def silence(self) -> Silence | None:
        """Since when nothing of it answers, though it may yet; None while it does."""

    def fileno(self) -> int:
        """A descriptor that becomes readable when it ends, or -1."""

    def close(self) -> None:
        """Give back its descriptors."""


class Listener(Protocol):
    """Is told what happens, on the sampler's thread; must return quickly."""

    def on_sample(self, sample: Sample) -> None:
        """A tick was read, or one more of its slower probes."""

    def on_offers(self, offers: Mapping[Action, Maybe[str]], news: Sequence[str]) -> None:
        """What can be done to the target now, and what has happened on that side; told before each tick's samples."""

    def on_deed(self, deed: Deed) -> None:
        """What was asked for has been done, or has failed."""

    def on_end(self, ending: Ending) -> None:
        """The target is gone; nothing follows."""

    def on_failure(self, error: MemdashError) -> None:
        """Attaching failed, or memdash did; nothing follows."""


class Sampler:
    """Opens the roster in its own thread and reads it every ``interval_s`` until the target ends or ``stop``."""

    def __init__(
        self, open_roster: Callable[[], Roster], watch: Watch, clock: Clock, interval_s: float, listener: Listener
    ) -> None:
        self._open_roster = open_roster
        self._watch = watch
        self._clock = clock
        self._interval_s = interval_s
        self._listener = listener
        self._stopped = threading.Event()
        self._roster: Roster | None = None
        self._doer = Doer(self._wake, clock)
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._wake_lock = threading.Lock()  # the thread closes the descriptor: nobody may write to a reused one
        self._thread = threading.Thread(target=self._run, name="memdash-sampler", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def ask(self, action: Action, cause: str = "") -> None:
        """Have something done to the target as soon as all that was asked for before has been; returns at once.

        ``cause`` is that of the deed: why, when it was no person who wanted it.
        """
        self._doer.ask(action, cause)
        self._wake()

    def is_asked(self, action: Action) -> bool:
        """Whether it has been asked for and is not done yet; from any thread."""
        return self._doer.is_asked(action)

    def _wake(self) -> None:
        with self._wake_lock:
            if self._wake_fd >= 0:
                os.eventfd_write(self._wake_fd, 1)

    def stop(self) -> None:
        """Ask the thread to end and wait for it, at most for one slow read. May be called twice.

        An action that is under way is not waited for: the target may have been stopped itself.
        """
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._wake()
        if self._roster is not None:
            self._roster.cancel()
        if self._thread.ident is None:  # never started
            self._release()
        elif threading.current_thread() is not self._thread:
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        try:
            with defects_told():
                self._follow()
        except MemdashError as error:
            self._listener.on_failure(error)
        finally:
            self._let_go()

    def _follow(self) -> None:
        try:
            self._roster = self._open_roster()
            self._loop(self._roster)
        except TargetExited:
            self._end(self._ending())

    def _let_go(self) -> None:
        """All of it, whatever fails. Nobody listens any more, so a failure shows under ``--verbose`` alone."""
        with contextlib.suppress(MemdashError), defects_told(), contextlib.ExitStack() as closing:
            closing.callback(self._release)
            if self._roster is not None:
                closing.callback(self._roster.close)
                closing.callback(self._doer.join)  # nobody is let go while it acts
                self._roster.cancel()

    def _release(self) -> None:
        try:
            self._watch.close()
        finally:
            with self._wake_lock:
                os.close(self._wake_fd)
                self._wake_fd = -1

    def _loop(self, roster: Roster) -> None:
        deadline_s = self._clock.now().mono_s
        while not self._stopped.is_set():
            if (ending := self._watch.check()) is not None:
                self._end(ending)
                return
            self._listener.on_offers(roster.offers(), roster.news())
            for sample in roster.tick(self._clock.now()):
                self._listener.on_sample(sample)
            now_s = self._clock.now().mono_s
            missed = max(0, int((now_s - deadline_s) // self._interval_s))
            deadline_s += (missed + 1) * self._interval_s  # late ticks are skipped: the history shows a gap
            self._rest(deadline_s, roster)
        self._tell_last()

    def _end(self, ending: Ending) -> None:
        self._tell_last()
        self._listener.on_end(ending)

    def _tell_last(self) -> None:
        if self._roster is not None:
            for deed in self._doer.last(self._roster):
                self._listener.on_deed(deed)

    def _rest(self, until_s: float, roster: Roster) -> None:
        """Until the next deadline, the end of the target, or ``stop``; what is asked for meanwhile begins at once."""
        while not self._stopped.is_set():
            for deed in self._doer.deeds(roster):
                self._listener.on_deed(deed)
                if self._stopped.is_set():
                    return
            left_s = until_s - self._clock.now().mono_s
            if left_s <= 0 or self._wait(left_s):
                return

    def _wait(self, timeout_s: float) -> bool:
        """For so long at most; True once the target has ended. Whoever wants something wakes it earlier."""
        poller = select.poll()
        poller.register(self._wake_fd, select.POLLIN)
        watched = self._watch.fileno()
        if watched >= 0:
            poller.register(watched, select.POLLIN)
        ready = poller.poll(max(timeout_s, 0.0) * 1000)
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake_fd)
        return any(fd == watched for fd, _ in ready)

    def _ending(self) -> Ending:
        deadline_s = self._clock.now().mono_s + _SETTLE_S
        while True:
            if (ending := self._watch.check()) is not None:
                return ending
            now = self._clock.now()
            if now.mono_s >= deadline_s or self._stopped.is_set():
                return Ending(at_s=now.wall_s)
            self._wait(0.02)
