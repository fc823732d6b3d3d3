"""Looks at one kind of fact, taken whenever they are wanted, without a watch around them: for the verbs."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from memdash.errors import UnsupportedRuntime
from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.model.tasks import Tasks
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES, telling_apart
from memdash.sampling.clock import Clock, SystemClock
from memdash.session.attach import attach

__all__ = ["TaskLooks"]

_TASKS = frozenset({Capability.TASKS})


class TaskLooks:
    """The tasks of a target, told apart where they can be; a context manager that lets it go."""

    def __init__(self, target: Target, entries: Sequence[ProbeEntry] = PROBES, clock: Clock | None = None) -> None:
        """Raises MemdashError when nothing can be read."""
        self._roster = attach(target, telling_apart(entries), clock or SystemClock()).roster

    def look(self) -> Tasks:
        """Those there are now. Raises UnsupportedRuntime when they cannot be read, TargetExited."""
        tasks = self._roster.look(_TASKS).tasks
        if isinstance(tasks, Missing):
            raise UnsupportedRuntime(tasks.why, tasks.hint)
        return tasks

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._roster.close()
