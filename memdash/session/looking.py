"""Looks at one kind of fact, taken whenever they are wanted, without a watch around them: for the verbs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from memdash.errors import UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.model.tasks import Tasks
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES, telling_apart
from memdash.sampling.clock import Clock, SystemClock
from memdash.session.attach import attach

__all__ = ["TaskLooks"]

_CPU_S, _WALL_S = 10.0, 60.0
"""What one look may take: nothing else waits for it."""
_TASKS = frozenset({Capability.TASKS})
_NOBODY = Missing(
    "nothing here can have the runtime search for leaked ones",
    "net/http/pprof of a program of Go 1.27 can, with --endpoint auto",
)
_UNWANTED = Missing("it was not wanted")


class TaskLooks:
    """The tasks of a target, told apart where they can be; a context manager that lets it go."""

    def __init__(self, target: Target, entries: Sequence[ProbeEntry] = PROBES, clock: Clock | None = None) -> None:
        """Raises MemdashError when nothing can be read."""
        self._roster = attach(target, telling_apart(entries), clock or SystemClock()).roster

    def look(self) -> Tasks:
        """Those there are now. Raises UnsupportedRuntime when they cannot be read, TargetExited."""
        tasks = self._roster.look(_TASKS, cpu_s=_CPU_S, wall_s=_WALL_S).tasks
        if isinstance(tasks, Missing):
            raise UnsupportedRuntime(tasks.why, tasks.hint)
        return tasks

    def search(self, consent: Maybe[Callable[[Action, str], bool]]) -> Maybe[str]:
        """Have the runtime itself search for leaked ones: what came of it, or why it did not.

        Looks from then on tell those that it found. ``consent`` is asked with the sentence that says what it does to
        the target; where nobody can be asked, it is why not. Raises TargetExited.
        """
        offer = self._roster.offers().get(Action.FIND_LEAKS, _NOBODY)
        if isinstance(offer, Missing):
            return offer
        if isinstance(consent, Missing):
            return consent
        return self._roster.act(Action.FIND_LEAKS).outcome if consent(Action.FIND_LEAKS, offer) else _UNWANTED

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._roster.close()
