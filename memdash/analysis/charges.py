"""What of the tasks that stay is accused of leaking, and why the others are not.

Age alone proves nothing: the loops that a service begins with wait for as long as it lives. Growth does, and so does a
number of them that are alike which no loop, pool or connection explains.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from enum import Enum
from itertools import pairwise

from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame
from memdash.model.tasks import StackMark, Task, TaskKey, TaskKind, Tasks

__all__ = ["Charge", "Loops", "connections", "is_growing", "spared"]

_MANY = 100
"""So many alike are no loops of a service, nor the workers of a usual pool."""

_SEVERAL = 20
"""So many are enough where they were started one after another, with others between: a pool starts all at once."""

_APART = 2.5
"""Ids of a pool follow each other, with one more for each worker at most; a leak has those of its requests between."""

_RISES = 2
"""One step up may be chance: a request that was begun meanwhile and is not answered yet."""

_IDLE_WORKER = Frame("_worker", "concurrent/futures/thread.py", 0)
"""What is given to a pool of Python's stands in code of its own meanwhile; and pools may be of any size."""

_STEADY = 3
"""The last three pauses are most of the time that is watched."""

_NETWORK = "IO wait"
_BY_OTHERS = {
    TaskKind.GOROUTINE: ("chan ", "select", "semacquire", "sync."),
    TaskKind.THREAD: ("in futex", "sleeping"),
    TaskKind.ASYNCIO: ("waiting",),
}
"""How the states begin that only others in the program can end: no clock does, nor a peer."""


class Charge(Enum):
    """What a group is accused for, the strongest first; the value is the word for it."""

    PROVEN = "leaked"
    GROWTH = "growing"
    NEW = "new"
    NUMBER = "piled up"
    AGE = "old"


class Loops:
    """Groups of many that are seen to go on: one was elsewhere meanwhile and came back, or its stack tells that it ran.

    So does what waits for its next turn, such as one loop for each thing that is looked after, and no leak does.
    """

    def __init__(self) -> None:
        self.seen: set[TaskKey] = set()
        self._here: dict[TaskKey, frozenset[int]] = {}
        self._left: dict[TaskKey, set[int]] = defaultdict(set)
        self._marks: dict[TaskKey, dict[int, StackMark]] = {}
        self._ran: dict[TaskKey, set[tuple[int, int]]] = defaultdict(set)

    def look(self, tasks: Tasks) -> None:
        """Take in where they are now."""
        now = {task.key: task.ids for task in tasks.groups if not isinstance(task.ids, Missing)}
        for key, before in self._here.items():
            self._left[key] |= before - now.get(key, frozenset())
        for key, ids in now.items():
            if not self._left[key].isdisjoint(ids):
                self.seen.add(key)
        self._here |= {key: ids for key, ids in now.items() if len(ids) >= _SEVERAL or key in self._here}
        for task in tasks.groups:
            self._compare(task.key, {mark.id: mark for mark in task.marks})

    def _compare(self, key: TaskKey, marks: dict[int, StackMark]) -> None:
        """Whose stack is another than before, and is in that place still: a collection may have moved it."""
        ran = self._ran[key]
        if any((mark.id, mark.place) in ran for mark in marks.values()):
            self.seen.add(key)
        for was in self._marks.get(key, {}).values():
            mark = marks.get(was.id, was)
            if mark.place == was.place and mark.digest != was.digest:
                ran.add((mark.id, mark.place))
        self._marks[key] = marks


def connections(tasks: Tasks) -> int:
    """How many goroutines wait for the network."""
    return sum(task.count for task in tasks.groups if task.state == _NETWORK)


def is_growing(numbers: Sequence[int], connections: int) -> bool:
    """Whether those of all looks never became fewer, and more at two of them, at one where there were but two looks.

    Where so many ``connections`` came that each may have brought one, it must have been at each of the last three: that
    clients come is no leak, unless they never cease to.
    """
    steps = [after - before for before, after in pairwise(numbers)]
    if min(steps, default=0) < 0 or not any(steps):
        return False
    if sum(steps) <= connections:
        return all(steps[-_STEADY:])
    return sum(map(bool, steps)) >= min(_RISES, len(steps))


def spared(task: Task, number: int, ids: Maybe[Collection[int]], served: float, *, is_loop: bool) -> str:
    """Why so many alike may stay; empty when nothing explains them.

    ``ids`` are theirs, ``served`` is how many connections there may be: each may have a few goroutines for itself.
    """
    if number < _SEVERAL:
        return "few"
    if not task.state.startswith(_BY_OTHERS[task.kind]):
        return "a clock or somebody outside may end their wait"
    if task.own.function == _IDLE_WORKER.function and task.own.file.endswith(_IDLE_WORKER.file):
        return "idle workers of a ThreadPoolExecutor"
    if is_loop:
        return "some of them went on and came back, as loops do"
    if number <= served:
        return "no more than there may be connections"
    if number < _MANY:
        if isinstance(ids, Missing) or task.kind is not TaskKind.GOROUTINE:
            return f"fewer than {_MANY}"
        if max(ids) - min(ids) < _APART * number:
            return "started all at once, as the workers of a pool are"
    return ""
