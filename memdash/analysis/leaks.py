"""Which tasks have leaked: those that are still there when they should long have ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from memdash.model.missing import Missing
from memdash.model.tasks import Task, TaskKey, TaskKind, Tasks
from memdash.units import count, duration

__all__ = ["Expected", "Suspect", "suspects"]

_FIRST_NAMES = frozenset({"runtime.main", "MainThread"})
_FIRST_FUNCTIONS = frozenset({"<module>", "_run_module_as_main"})
"""What a program begins with, a goroutine or a thread, ends with it."""

_OF_THE_LIBRARY = frozenset({"os/signal.signal_recv", "os/signal.loop"})
"""What importing os/signal starts never ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Tasks that may stay: by the function they stand in, by the one that started them, or those that there were."""

    top_functions: frozenset[str] = frozenset()
    creators: frozenset[str] = frozenset()
    current: Tasks = field(default=Tasks(()))

    def holds(self, task: Task) -> bool:
        """Whether a task's functions say that it may stay."""
        top, first = (task.stack[0].function, task.stack[-1].function) if task.stack else ("", "")
        if task.name in _FIRST_NAMES or first in _FIRST_FUNCTIONS:
            return True
        creator = "" if isinstance(task.created_by, Missing) else task.created_by.function
        return top in self.top_functions | _OF_THE_LIBRARY or creator in self.creators


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A group that stays: as it is now, and how many more than expected were there at the first and the last look.

    ``number`` were there at every look: the very same ones when ``are_same``, else only as many. ``searched`` says that
    the runtime has searched for those that nothing can wake.
    """

    task: Task
    number: int
    first: int
    last: int
    are_same: bool
    searched: bool = False

    @property
    def growth(self) -> int:
        """How many more there were at the last look than at the first."""
        return self.last - self.first

    @property
    def verdict(self) -> str:
        """In a word, by the strongest of the signals: ``leaked`` is proven, ``growing``, ``staying``."""
        return "leaked" if self.task.is_leaked else "growing" if self.growth > 0 else "staying"

    @property
    def evidence(self) -> str:
        """In one line: proof, growth and age, as far as they are known."""
        words = ["proven, for nothing can ever wake them"] if self.task.is_leaked else []
        if self.first != self.last:
            words.append(f"{count(self.first)} at the first look, {count(self.last)} at the last")
        if self.are_same:
            some = f"{count(self.number)} of them " if self.number < max(self.first, self.last) else ""
            words.append(f"{some}the same at every look")
        elif self.first == self.last:
            words.append("as many at every look")
        if self.searched and not self.task.is_leaked:
            words.append("not found by the runtime's own search")
        waiting_s = self.task.waiting_s
        if not isinstance(waiting_s, Missing):
            words.append(f"waiting for at least {duration(waiting_s)}")
        return " · ".join(words)


def suspects(looks: Sequence[Tasks], expected: Expected, *, searched: bool = False) -> tuple[Suspect, ...]:
    """What all of these looks show and nothing explains, what is proven and the most first; none without a look.

    Tasks that are told apart must be the same ones at every look: a server always has some that answer requests, each
    time others. Those that are not must be as many.
    """
    seen = [{task.key: task for task in look.groups} for look in looks]
    current = _Current(expected.current)
    found = []
    for task in looks[-1].groups if looks else ():
        if expected.holds(task):
            continue
        alike = [tasks[task.key] for tasks in seen if task.key in tasks]
        suspect = current.beyond(task, alike) if len(alike) == len(looks) else None
        if suspect is not None:
            found.append(replace(suspect, searched=searched))
    return tuple(sorted(found, key=lambda suspect: (not suspect.task.is_leaked, -suspect.number, suspect.task.name)))


class _Current:
    """The tasks that may stay since they were there before."""

    def __init__(self, tasks: Tasks) -> None:
        self._numbers: Counter[TaskKey] = Counter()
        self._ids: dict[TaskKind, set[int]] = defaultdict(set)
        for task in tasks.groups:
            self._numbers[_unproven(task)] += task.count
            if not isinstance(task.ids, Missing):
                self._ids[task.kind] |= task.ids

    def beyond(self, task: Task, alike: Sequence[Task]) -> Suspect | None:
        """What of a group stays, by how it was ``alike`` at every look; None when nothing does."""
        ids = [seen.ids - self._ids[task.kind] for seen in alike if not isinstance(seen.ids, Missing)]
        are_same = len(ids) == len(alike)
        numbers = list(map(len, ids)) if are_same else [seen.count - self._numbers[_unproven(task)] for seen in alike]
        number = len(frozenset.intersection(*ids)) if are_same else min(numbers)
        if number <= 0:
            return None
        return Suspect(task=task, number=number, first=numbers[0], last=numbers[-1], are_same=are_same)


def _unproven(task: Task) -> TaskKey:
    """Its key as it was before anybody searched."""
    return task.key._replace(is_leaked=False)
