"""What the agent of a target feeds: pauses, malloc, names of threads, asyncio tasks.

Asking waits a twentieth of a second at most; when that is too short, the last answer stands: a target that has been
stopped, or is busy in C code, changes little of what is told here. It stands as well for a moment after the agent has
gone, lest the last moment of a program that ends be told from another source. What it takes the target to answer sets
the pace.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from memdash.errors import ProbeError, TimedOut
from memdash.model.malloc import Malloc
from memdash.model.missing import Maybe, Missing
from memdash.model.tasks import Task
from memdash.probes.cpython.agent.link import AgentLink
from memdash.probes.cpython.agent.peer import Fields
from memdash.probes.cpython.agent.told import Told, malloc, names, nothing, pauses, tasks

__all__ = ["AgentFeed", "AgentPauses"]

_PATIENCE_S = 0.05
_LEAST_PAUSE_S = 1.0
_SHARE = 0.002
"""Of one core of the target, what answering one question again and again may take."""
_MOST_GROUPS = 200
_NOT_YET = Missing("the agent has not answered yet")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AgentPauses:
    """Collections since ``since_s`` (wall time), when the agent began to time them.

    ``ended`` maps the end of those not told before to their length, both in ns, the former of CLOCK_MONOTONIC;
    ``total_ns`` adds up all of them.
    """

    since_s: float
    number: int
    total_ns: int
    ended: Mapping[int, int]


class _Held(Generic[T]):
    """The last answer to one question, of which agent it is, and when to ask again."""

    def __init__(self, deed: str, understood: Callable[[Fields], Told[T]], **fields: int) -> None:
        self._deed, self._understood, self._fields = deed, understood, fields
        self._value: Maybe[T] = _NOT_YET
        self._of: object = None
        self._due_s = 0.0

    def ask(self, link: AgentLink) -> Maybe[T]:
        """It is asked again when it is time, after another deed, and of another agent."""
        told = self._ask(link)
        return self._value if isinstance(told, Missing) and link.has_just_gone else told

    def _ask(self, link: AgentLink) -> Maybe[T]:
        why = link.absence()
        if why is not None:
            return why
        if self._of != link.epoch:
            self._of, self._due_s = link.epoch, 0.0
        if time.monotonic() >= self._due_s:
            try:
                told = link.ask(self._deed, _PATIENCE_S, self._understood, **self._fields)
            except TimedOut:
                return self._value
            except ProbeError as error:
                return Missing.of(error)
            self._value = told.value
            self._due_s = time.monotonic() + max(_LEAST_PAUSE_S, told.took_s / _SHARE)
        return self._value


class AgentFeed:
    """Asks the agent of one target, as often as that is cheap. Belongs to the sampler's thread; raises nothing."""

    def __init__(self, link: AgentLink) -> None:
        self._link = link
        self._timing = 0
        self._pauses = AgentPauses(0.0, 0, 0, {})
        self._malloc = _Held("malloc", malloc)
        self._tasks = _Held("tasks", tasks, most=_MOST_GROUPS)
        self._names = _Held("names", names)

    def pauses(self) -> Maybe[AgentPauses]:
        """Every collection since the agent came is in the total, the newest 256 at most are told one by one."""
        told = self._ask_pauses()
        is_parting = self._is_timed() and self._link.has_just_gone
        return self._pauses if isinstance(told, Missing) and is_parting else told

    def _ask_pauses(self) -> Maybe[AgentPauses]:
        why = self._link.absence()
        if why is not None:
            return why
        try:
            if not self._is_timed():
                self._link.ask("time", _PATIENCE_S, nothing)
                self._timing, self._pauses = self._link.connections, AgentPauses(time.time(), 0, 0, {})
            told = self._link.ask("pauses", _PATIENCE_S, pauses, after=self._pauses.number)
        except TimedOut:
            return self._pauses if self._is_timed() else _NOT_YET
        except ProbeError as error:
            return Missing.of(error)
        self._pauses = AgentPauses(self._pauses.since_s, *told)
        return self._pauses

    def _is_timed(self) -> bool:
        return self._timing == self._link.connections > 0

    def malloc(self) -> Maybe[Malloc]:
        """What the C library's allocator holds."""
        return self._malloc.ask(self._link)

    def names(self) -> Mapping[int, str]:
        """Names of threads by what pthread_self gives; none without an agent."""
        found = self._names.ask(self._link)
        return {} if isinstance(found, Missing) else found

    def others(self) -> tuple[Task, ...]:
        """The asyncio tasks in groups; none without an agent."""
        found = self._tasks.ask(self._link)
        return () if isinstance(found, Missing) else found
