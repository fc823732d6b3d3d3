"""Looks at one kind of fact, taken whenever they are wanted, without a watch around them: for the verbs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from memdash.errors import UnsupportedRuntime
from memdash.model.action import Action
from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.model.tasks import TaskKind, Tasks
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES, telling_apart
from memdash.sampling.clock import Clock, SystemClock
from memdash.session.attach import attach
from memdash.session.errand import awaited

__all__ = ["TaskLooks"]

_CPU_S, _WALL_S = 10.0, 60.0
"""What one look may take: nothing else waits for it."""
_TASKS = frozenset({Capability.TASKS})
_AGENT_S, _TOLD_S, _LOOK_EVERY_S = 60.0, 1.5, 0.1
"""For the agent to come, in a target with many busy threads; and then for it to tell tasks, if there are any."""
_UNWANTED = Missing("it was not wanted")


class TaskLooks:
    """The tasks of a target, told apart where they can be; a context manager that lets it go."""

    def __init__(self, target: Target, entries: Sequence[ProbeEntry] = PROBES, clock: Clock | None = None) -> None:
        """Raises MemdashError when nothing can be read."""
        self._clock = clock or SystemClock()
        self._roster = attach(target, telling_apart(entries), self._clock).roster

    def bring_agent(self, tell: Callable[[str], object], pause: Callable[[float], object] = time.sleep) -> None:
        """Have memdash's agent come into a Python, which alone tells asyncio tasks; it goes with the looks.

        ``tell`` hears what it waits for. Raises UnsupportedRuntime where there is no Python, AgentUnreachable and
        TimedOut when it does not come, TargetExited.
        """
        if isinstance(self._roster.offer(Action.TRIM), Missing):  # the agent alone can
            loaded = self._roster.act(Action.LOAD_AGENT)
            if isinstance(loaded.outcome, Missing):
                raise loaded.error or UnsupportedRuntime(loaded.outcome.why, loaded.outcome.hint)
        awaited(self._roster, Action.TRIM, _AGENT_S, tell, clock=self._clock, pause=pause)
        until_s = self._clock.now().mono_s + _TOLD_S
        while not _tells_asyncio(self.look()) and self._clock.now().mono_s < until_s:
            pause(_LOOK_EVERY_S)

    def look(self) -> Tasks:
        """Those there are now. Raises UnsupportedRuntime when they cannot be read, TargetExited."""
        tasks = self._roster.look(_TASKS, cpu_s=_CPU_S, wall_s=_WALL_S).tasks
        if isinstance(tasks, Missing):
            raise UnsupportedRuntime(tasks.why, tasks.hint)
        return tasks

    def files(self) -> Maybe[int]:
        """How many files it has open. Raises TargetExited."""
        system = self._roster.look(frozenset({Capability.SYSTEM})).system
        return system if isinstance(system, Missing) else system.fds

    def search(self, consent: Maybe[Callable[[Action, str], bool]]) -> Maybe[str]:
        """Have the runtime itself search for leaked ones: what came of it, or why it did not.

        Looks from then on tell those that it found. ``consent`` is asked with the sentence that says what it does to
        the target; where nobody can be asked, it is why not. Raises TargetExited.
        """
        offer = self._roster.offer(Action.FIND_LEAKS)
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


def _tells_asyncio(tasks: Tasks) -> bool:
    return any(task.kind is TaskKind.ASYNCIO for task in tasks.groups)
