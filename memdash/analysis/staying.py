"""Which tasks stay: those that are there at every look, but for those that are expected to be."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from memdash.model.missing import Maybe, Missing
from memdash.model.tasks import Task, TaskKey, TaskKind, Tasks

__all__ = ["Expected", "Staying", "staying"]

_FIRST_NAMES = frozenset({"runtime.main", "MainThread"})
_FIRST_FUNCTIONS = frozenset({"<module>", "_run_module_as_main"})
"""What a program begins with, a goroutine or a thread, ends with it."""

_OF_THE_LIBRARY = frozenset({"os/signal.signal_recv", "os/signal.loop"})
"""What importing os/signal starts never ends."""

_UNTOLD = Missing("these tasks are not told apart")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Tasks that may stay: by the function they stand in, by the one that started them, or those that there were.

    Where ``current`` is known, none may stay that came later; where ``older_than_s`` is, none that has waited so long.
    """

    top_functions: frozenset[str] = frozenset()
    creators: frozenset[str] = frozenset()
    current: Tasks | None = None
    older_than_s: float | None = None

    def holds(self, task: Task) -> bool:
        """Whether a task's functions say that it may stay."""
        top, first = (task.stack[0].function, task.stack[-1].function) if task.stack else ("", "")
        if task.name in _FIRST_NAMES or first in _FIRST_FUNCTIONS:
            return True
        creator = "" if isinstance(task.created_by, Missing) else task.created_by.function
        return top in self.top_functions | _OF_THE_LIBRARY or creator in self.creators

    def is_too_old(self, task: Task) -> bool:
        """Whether it is known to have waited for too long."""
        if self.older_than_s is None or isinstance(task.waiting_s, Missing):
            return False
        return task.waiting_s >= self.older_than_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Staying:
    """A group that stays: as it is now, and how many more than expected were there at each look.

    ``number`` were there at every look: the very same ones where their ``ids`` are known, else only as many. ``begun``
    are those at each look that were not there at the first: of tasks that are not told apart, how many more there were.
    """

    task: Task
    number: int
    numbers: tuple[int, ...]
    begun: tuple[int, ...]
    ids: Maybe[frozenset[int]]

    @property
    def are_same(self) -> bool:
        """Whether they are known to be the very same ones."""
        return not isinstance(self.ids, Missing)

    @property
    def first(self) -> int:
        """How many there were at the first look."""
        return self.numbers[0]

    @property
    def last(self) -> int:
        """How many there were at the last look."""
        return self.numbers[-1]


def staying(looks: Sequence[Tasks], expected: Expected) -> Iterator[Staying]:
    """What all of these looks show, of which there is one at least.

    Tasks that are told apart must be the same ones at every look: a server always has some that answer requests, each
    time others. Those that are not must be as many.
    """
    seen = [{task.key: task for task in look.groups} for look in looks]
    current, at_first = _Before(expected.current), _Before(looks[0])
    for task in looks[-1].groups:
        alike = [tasks[task.key] for tasks in seen if task.key in tasks]
        if expected.holds(task) or len(alike) < len(looks):
            continue
        ids, numbers = current.ids_since(alike), current.numbers_since(alike)
        same = ids if isinstance(ids, Missing) else frozenset.intersection(*ids)
        number = min(numbers) if isinstance(same, Missing) else len(same)
        if number > 0:
            yield Staying(task=task, number=number, numbers=numbers, begun=at_first.numbers_since(alike), ids=same)


class _Before:
    """The tasks of one moment; of a group at each look it tells those that came since."""

    def __init__(self, tasks: Tasks | None) -> None:
        self._numbers: Counter[TaskKey] = Counter()
        self._ids: dict[TaskKind, set[int]] = defaultdict(set)
        for task in tasks.groups if tasks else ():
            self._numbers[_unproven(task)] += task.count
            if not isinstance(task.ids, Missing):
                self._ids[task.kind] |= task.ids

    def ids_since(self, alike: Sequence[Task]) -> Maybe[list[frozenset[int]]]:
        """Which they are, where all are told apart: none of those that were elsewhere before."""
        ids = [task.ids - self._ids[task.kind] for task in alike if not isinstance(task.ids, Missing)]
        return ids if len(ids) == len(alike) else _UNTOLD

    def numbers_since(self, alike: Sequence[Task]) -> tuple[int, ...]:
        """How many they are: below zero where more of the same group were there before and are not told apart."""
        ids = self.ids_since(alike)
        if isinstance(ids, Missing):
            return tuple(task.count - self._numbers[_unproven(task)] for task in alike)
        return tuple(map(len, ids))


def _unproven(task: Task) -> TaskKey:
    """Its key as it was before anybody searched."""
    return task.key._replace(is_leaked=False)
