"""Which tasks have leaked: those that are still there when they should long have ended."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from memdash.analysis.charges import Charge, connections, is_growing, spared
from memdash.model.missing import Maybe, Missing
from memdash.model.tasks import Task, TaskKey, TaskKind, Tasks
from memdash.units import count, duration

__all__ = ["Expected", "Suspect", "suspects"]

_FIRST_NAMES = frozenset({"runtime.main", "MainThread"})
_FIRST_FUNCTIONS = frozenset({"<module>", "_run_module_as_main"})
"""What a program begins with, a goroutine or a thread, ends with it."""

_OF_THE_LIBRARY = frozenset({"os/signal.signal_recv", "os/signal.loop"})
"""What importing os/signal starts never ends."""

_UNTOLD = Missing("these tasks are not told apart")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Tasks that may stay: by the function they stand in, by the one that started them, or those that there were.

    Where ``current`` is known, none may stay that came later.
    """

    top_functions: frozenset[str] = frozenset()
    creators: frozenset[str] = frozenset()
    current: Tasks | None = None

    def holds(self, task: Task) -> bool:
        """Whether a task's functions say that it may stay."""
        top, first = (task.stack[0].function, task.stack[-1].function) if task.stack else ("", "")
        if task.name in _FIRST_NAMES or first in _FIRST_FUNCTIONS:
            return True
        creator = "" if isinstance(task.created_by, Missing) else task.created_by.function
        return top in self.top_functions | _OF_THE_LIBRARY or creator in self.creators


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A group that stays: as it is now, and how many more than expected were there at each look.

    ``number`` were there at every look: the very same ones when ``are_same``, else only as many. ``charge`` is what
    they are accused for, None where nothing is; ``spared`` says then why not. ``searched`` says that the runtime has
    searched for those that nothing can wake.
    """

    task: Task
    number: int
    numbers: tuple[int, ...]
    are_same: bool
    searched: bool = False
    charge: Charge | None = None
    spared: str = ""

    @property
    def first(self) -> int:
        """How many there were at the first look."""
        return self.numbers[0]

    @property
    def last(self) -> int:
        """How many there were at the last look."""
        return self.numbers[-1]

    @property
    def growth(self) -> int:
        """How many more there were at the last look than at the first."""
        return self.last - self.first

    @property
    def verdict(self) -> str:
        """In a word or two: what they are accused for, else ``staying``."""
        return self.charge.value if self.charge else "staying"

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


def suspects(
    looks: Sequence[Tasks],
    expected: Expected,
    *,
    searched: bool = False,
    older_than_s: float | None = None,
    loops: Collection[TaskKey] = (),
    files: float = 0,
) -> tuple[Suspect, ...]:
    """What all of these looks show and nothing explains, accused or not; none without a look.

    What is accused comes first, what is proven before what grows and what is only many, then the most.

    Tasks that are told apart must be the same ones at every look: a server always has some that answer requests, each
    time others. Those that are not must be as many. Of those that are, a group grows only by such as were begun since
    the first look. With ``older_than_s`` all that have waited so long are accused. Those in ``loops`` were seen to go
    on. ``files`` is the number of open files, where it is known: there can be no more connections than that, for
    threads and asyncio tasks do not tell what waits for the network.
    """
    seen = [{task.key: task for task in look.groups} for look in looks]
    current = _Current(expected.current)
    before = _Current(looks[0] if looks else None)
    served = connections(looks[-1]) if looks else 0
    come = served - connections(looks[0]) if looks else 0
    found = []
    for task in looks[-1].groups if looks else ():
        if expected.holds(task):
            continue
        alike = [tasks[task.key] for tasks in seen if task.key in tasks]
        stay = current.beyond(task, alike) if len(alike) == len(looks) else None
        if stay is None:
            continue
        most = served if task.kind is TaskKind.GOROUTINE else files
        why = spared(task, stay.number, stay.ids, most, is_loop=task.key in loops)
        grows = is_growing(stay.numbers if isinstance(stay.ids, Missing) else before.others(alike), come)
        is_new = expected.current is not None
        charge = _charge(task, why, older_than_s, grows=grows, is_new=is_new)
        found.append(
            Suspect(
                task=task,
                number=stay.number,
                numbers=stay.numbers,
                are_same=not isinstance(stay.ids, Missing),
                searched=searched,
                charge=charge,
                spared="" if charge else why,
            )
        )
    return tuple(sorted(found, key=_rank))


def _charge(task: Task, why: str, older_than_s: float | None, *, grows: bool, is_new: bool) -> Charge | None:
    """The strongest that holds; ``why`` is what speaks for so many."""
    if task.is_leaked:
        return Charge.PROVEN
    if grows:
        return Charge.GROWTH
    if is_new:
        return Charge.NEW
    if not why:
        return Charge.NUMBER
    is_old = older_than_s is not None and not isinstance(task.waiting_s, Missing) and task.waiting_s >= older_than_s
    return Charge.AGE if is_old else None


_CHARGES = list(Charge)


def _rank(suspect: Suspect) -> tuple[int, int, str]:
    at = _CHARGES.index(suspect.charge) if suspect.charge else len(_CHARGES)
    return at, -suspect.number, suspect.task.name


@dataclass(frozen=True, slots=True)
class _Stay:
    """How many of a group stay, how many there were at each look, and which they are."""

    number: int
    numbers: tuple[int, ...]
    ids: Maybe[frozenset[int]]


class _Current:
    """The tasks that may stay since they were there before."""

    def __init__(self, tasks: Tasks | None) -> None:
        self._numbers: Counter[TaskKey] = Counter()
        self._ids: dict[TaskKind, set[int]] = defaultdict(set)
        for task in tasks.groups if tasks else ():
            self._numbers[_unproven(task)] += task.count
            if not isinstance(task.ids, Missing):
                self._ids[task.kind] |= task.ids

    def beyond(self, task: Task, alike: Sequence[Task]) -> _Stay | None:
        """What of a group stays, by how it was ``alike`` at every look; None when nothing does."""
        ids = self._other_ids(alike)
        if len(ids) == len(alike):
            same = frozenset.intersection(*ids)
            stay = _Stay(len(same), tuple(map(len, ids)), same)
        else:
            numbers = tuple(seen.count - self._numbers[_unproven(task)] for seen in alike)
            stay = _Stay(min(numbers), numbers, _UNTOLD)
        return stay if stay.number > 0 else None

    def others(self, alike: Sequence[Task]) -> tuple[int, ...]:
        """How many of a group there were at each look that are none of these, of those that are told apart."""
        return tuple(map(len, self._other_ids(alike)))

    def _other_ids(self, alike: Sequence[Task]) -> list[frozenset[int]]:
        return [seen.ids - self._ids[seen.kind] for seen in alike if not isinstance(seen.ids, Missing)]


def _unproven(task: Task) -> TaskKey:
    """Its key as it was before anybody searched."""
    return task.key._replace(is_leaked=False)
