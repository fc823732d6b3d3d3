"""The rule of what leaks: which of the tasks that stay are accused, and why the others are not.

In four sentences. What the runtime itself has proven to be stuck is accused. What grows is: it never becomes less from
look to look, and more at two of them, or at each of the last three where clients that came may have brought as many.
What somebody does not expect is: it came later than it may, or has waited for longer. What has piled up is: 100 or more
alike, or 20 goroutines that were not started all at once, that only others in the program can wake, unless they are
idle workers, loops that are seen to go on, or no more than there may be connections.

Age alone proves nothing: the loops that a service begins with wait for as long as it lives.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from memdash.analysis.staying import Expected, Staying
from memdash.model.missing import Maybe, Missing, known
from memdash.model.profile import Frame
from memdash.model.tasks import SEVERAL, TaskKey, TaskKind, Tasks

__all__ = ["Charge", "Excuse", "Program", "judged"]

_MANY = 100
"""So many alike are no loops of a service, nor the workers of a usual pool."""

_APART = 2.5
"""Fewer than ``_MANY`` are enough where they were started one after another: a pool starts all at once, so that its ids
follow each other, with one more for each worker at most; a leak has those of its requests between."""

_RISES = 2
"""One step up may be chance: a request that was begun meanwhile and is not answered yet."""

_STEADY = 3
"""The last three pauses are most of the time that is watched."""

_IDLE_WORKER = Frame("_worker", "concurrent/futures/thread.py", 0)
"""What is given to a pool of Python's stands in code of its own meanwhile; and pools may be of any size."""

_NETWORK = "IO wait"
_BY_OTHERS = {
    TaskKind.GOROUTINE: ("chan ", "select", "semacquire", "sync."),
    TaskKind.THREAD: ("in futex", "sleeping"),
    TaskKind.ASYNCIO: ("waiting",),
}
"""How the states begin that only others in the program can end: no clock does, nor a peer.

A thread is ``sleeping`` where the kernel does not say in what call.
"""


class Charge(Enum):
    """What a group is accused of, the strongest first; the value is the word for it."""

    PROVEN = "leaked"
    GROWTH = "growing"
    NEW = "new"
    NUMBER = "piled up"
    AGE = "old"


class Excuse(Enum):
    """Why a group that stays is not accused of its number; the value says it in words."""

    FEW = "few"
    OUTSIDE = "a clock or somebody outside may end their wait"
    IDLE_WORKERS = "idle workers of a ThreadPoolExecutor"
    LOOPS = "some of them went on and came back, as loops do"
    CONNECTIONS = "no more than there may be connections"
    NOT_MANY = f"fewer than {_MANY}"
    AT_ONCE = "started all at once, as the workers of a pool are"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is known of a program around a group.

    ``connections`` are the goroutines that wait for the network, ``more_connections`` how many more than at the first
    look. ``files`` is the number of open files: threads and asyncio tasks do not tell what waits for the network, but
    there can be no more connections than that. Those of ``loops`` were seen to go on.
    """

    connections: int
    more_connections: int
    files: Maybe[float]
    loops: Collection[TaskKey]

    @classmethod
    def seen(cls, looks: Sequence[Tasks], files: Maybe[float], loops: Collection[TaskKey]) -> Program:
        """From all looks, of which there is one at least."""
        first, last = _connections(looks[0]), _connections(looks[-1])
        return cls(connections=last, more_connections=last - first, files=files, loops=loops)

    def served(self, kind: TaskKind) -> float:
        """How many connections there may be; each may have a task of every group for itself."""
        return self.connections if kind is TaskKind.GOROUTINE else known(self.files, 0)


def judged(stay: Staying, expected: Expected, program: Program) -> Charge | Excuse:
    """The strongest charge that holds; where none does, what speaks for the group."""
    if stay.task.is_leaked:
        return Charge.PROVEN
    if _is_growing(stay.begun, program.more_connections):
        return Charge.GROWTH
    if expected.current is not None:
        return Charge.NEW
    excuse = _excuse(stay, program)
    if excuse is None:
        return Charge.NUMBER
    return Charge.AGE if expected.is_too_old(stay.task) else excuse


def _is_growing(numbers: Sequence[int], connections: int) -> bool:
    """Whether those of all looks never became fewer, and more at two of them, at one where there were but two looks.

    Where so many ``connections`` came that each may have brought one, it must have been at each of the last three: that
    clients come is no leak, unless they never cease to.
    """
    steps = [after - before for before, after in pairwise(numbers)]
    if not steps or min(steps) < 0:
        return False
    if sum(steps) <= connections:
        return all(steps[-_STEADY:])
    return sum(map(bool, steps)) >= min(_RISES, len(steps))


def _excuse(stay: Staying, program: Program) -> Excuse | None:
    """Why so many alike may stay; None where nothing explains them."""
    task, number = stay.task, stay.number
    if number < SEVERAL:
        return Excuse.FEW
    if not task.state.startswith(_BY_OTHERS[task.kind]):
        return Excuse.OUTSIDE
    if task.own.function == _IDLE_WORKER.function and task.own.file.endswith(_IDLE_WORKER.file):
        return Excuse.IDLE_WORKERS
    if task.key in program.loops:
        return Excuse.LOOPS
    if number <= program.served(task.kind):
        return Excuse.CONNECTIONS
    if number >= _MANY:
        return None
    if isinstance(stay.ids, Missing) or task.kind is not TaskKind.GOROUTINE:
        return Excuse.NOT_MANY
    return Excuse.AT_ONCE if max(stay.ids) - min(stay.ids) < _APART * number else None


def _connections(tasks: Tasks) -> int:
    """How many goroutines wait for the network."""
    return sum(task.count for task in tasks.groups if task.state == _NETWORK)
