"""Tasks that have come and stayed: groups of which there are always more at last than there ever were at first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from memdash.model.finding import NotYet
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.tasks import Task, TaskKind, Tasks
from memdash.units import things

__all__ = ["Arrival", "Arrivals", "TaskOrigin"]

_MOST_LOOKS = 240
_PARTS, _FEWEST_EACH = 3, 4
"""The first third of the looks is compared with the last; with fewer looks in each, what comes and goes may by chance
have come only in the last: in one of 250 watches with four, where it is there half of the time."""


class TaskOrigin(NamedTuple):
    """Who began a task; where nobody tells, where it stands in the program."""

    kind: TaskKind
    frame: Frame
    is_creator: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """``before`` is the most there were at any of the first looks, ``now`` the fewest at any of the last."""

    origin: TaskOrigin
    before: int
    now: int

    @property
    def number(self) -> int:
        """How many more they are."""
        return self.now - self.before


class Arrivals:
    """Counts tasks at each look. When there are many looks, every second is forgotten: a few hundred numbers each.

    Requests that are being served come and go: their highest and their lowest number overlap. What never ends shows
    even where it is one alone, as its group has no other reason to grow.
    """

    def __init__(self) -> None:
        self._looks: list[Mapping[TaskOrigin, int]] = []
        self._seen: Tasks | None = None
        self._every = 1
        self._left_out = 0

    def take(self, tasks: Tasks) -> None:
        """One more look; the same reading again is none."""
        if tasks is self._seen:
            return
        self._seen = tasks
        self._left_out += 1
        if self._left_out < self._every:
            return
        self._left_out = 0
        self._looks.append(_numbers(tasks))
        if len(self._looks) > _MOST_LOOKS:
            del self._looks[1::2]
            self._every *= 2

    def found(self) -> tuple[Arrival, ...] | NotYet:
        """The most first."""
        looks, part = self._looks, len(self._looks) // _PARTS
        if part < _FEWEST_EACH:
            times = things(len(looks), "time")
            return NotYet(f"tasks were seen {times}, and it takes {_PARTS * _FEWEST_EACH}: watch for longer")
        arrivals = [arrival for arrival in _compared(looks[:part], looks[-part:]) if arrival.number > 0]
        return tuple(sorted(arrivals, key=lambda arrival: (-arrival.number, arrival.origin.frame)))


def _compared(first: Sequence[Mapping[TaskOrigin, int]], last: Sequence[Mapping[TaskOrigin, int]]) -> Iterator[Arrival]:
    for origin in last[-1]:
        before = max(look.get(origin, 0) for look in first)
        yield Arrival(origin, before, min(look.get(origin, 0) for look in last))


def _numbers(tasks: Tasks) -> dict[TaskOrigin, int]:
    found: dict[TaskOrigin, int] = {}
    for task in tasks.groups:
        origin = _origin(task)
        found[origin] = found.get(origin, 0) + task.count
    return found


def _origin(task: Task) -> TaskOrigin:
    if isinstance(task.created_by, Missing):
        return TaskOrigin(task.kind, task.own, is_creator=False)
    return TaskOrigin(task.kind, task.created_by, is_creator=True)
