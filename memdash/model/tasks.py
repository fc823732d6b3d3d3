"""What a program does at the same time: goroutines, threads, asyncio tasks, in groups."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame

__all__ = ["SEVERAL", "StackMark", "Task", "TaskKey", "TaskKind", "Tasks"]

SEVERAL = 20
"""So many that are alike are worth asking whether they are a pool, loops, or have piled up."""

_UNCOUNTED = Missing("nothing counts the stacks of these tasks")
_ALIKE = Missing("these tasks are not told apart")
_NOWHERE = Frame("(no stack)", "", 0)


class TaskKind(Enum):
    """The value is the word of the JSON document."""

    GOROUTINE = "goroutine"
    THREAD = "thread"
    ASYNCIO = "asyncio"

    def words(self, number: int) -> str:
        """``goroutine``, ``threads``, ``asyncio tasks``."""
        word = "asyncio task" if self is TaskKind.ASYNCIO else self.value
        return word if number == 1 else f"{word}s"

    @property
    def is_begun_with(self) -> bool:
        """Whether ``created_by`` is what such a task runs, and not who began it: nothing notes that of a thread."""
        return self is TaskKind.THREAD


class StackMark(NamedTuple):
    """What the stack of one task held, by its id: who has run since it was at this ``place`` has another ``digest``."""

    id: int
    place: int
    digest: int


class TaskKey(NamedTuple):
    """What tells one group from another: tasks that are alike in this are one row."""

    kind: TaskKind
    created_by: Frame | None
    state: str
    stack: tuple[Frame, ...]
    is_leaked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A group of tasks with the same creator, state and stack. Names and frames are the target's words.

    ``stack`` is innermost first and may be empty; ``name`` is that of the group's first member, empty when it has none.
    ``waiting_s`` says how long the one that has waited longest has at least been in this state; ``stack_bytes`` is the
    memory set aside for the stacks of all of them. ``own_at`` is the number of the frame where the program itself
    stands: the innermost that is no library's; the number after the last stands for the creator. ``is_busy`` says that
    the state is one of those that a task which computes goes through many times a second. ``ids`` are those of its
    members, where somebody wants to know whether they are the same as before: goroutine ids, which are never used
    again, or thread ids; ``marks`` are those of the stacks of some of them, where there are many. ``is_leaked`` says
    that the runtime itself has found that nothing can ever wake them.
    """

    kind: TaskKind
    count: int
    state: str
    stack: tuple[Frame, ...]
    created_by: Maybe[Frame]
    waiting_s: Maybe[float]
    name: str = ""
    stack_bytes: Maybe[int] = _UNCOUNTED
    own_at: int = 0
    is_busy: bool = False
    ids: Maybe[frozenset[int]] = _ALIKE
    marks: frozenset[StackMark] = frozenset()
    is_leaked: bool = False

    @property
    def own(self) -> Frame:
        """Where the program itself stands."""
        if not self.stack:
            return _NOWHERE
        if self.own_at >= len(self.stack) and not isinstance(self.created_by, Missing):
            return self.created_by
        return self.stack[min(self.own_at, len(self.stack) - 1)]

    @property
    def is_creators(self) -> bool:
        """Whether the program stands nowhere on the stack, and only who began the tasks can be named."""
        return 0 < len(self.stack) <= self.own_at and not isinstance(self.created_by, Missing)

    @property
    def key(self) -> TaskKey:
        """What it is followed by from one reading to the next."""
        creator = self.created_by if isinstance(self.created_by, Frame) else None
        return TaskKey(self.kind, creator, self.state, self.stack, self.is_leaked)


@dataclass(frozen=True, slots=True)
class Tasks:
    """All groups at one instant, in no particular order; no two have the same key.

    ``hidden`` more tasks are the runtime's own, or there because somebody asks, and in none of the groups.
    """

    groups: tuple[Task, ...]
    hidden: int = 0

    @property
    def total(self) -> int:
        """How many tasks there are in all."""
        return sum(task.count for task in self.groups)
