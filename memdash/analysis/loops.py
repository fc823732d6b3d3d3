"""Which groups of tasks are seen to go on, look by look: what waits for its next turn has not leaked."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.missing import known
from memdash.model.tasks import SEVERAL, StackMark, TaskKey, Tasks

__all__ = ["Loops"]

_MOST_GONE = 1 << 14
"""Requests that have ended are not remembered for ever: where more have left, only those that did so last are."""

_NONE = frozenset[int]()


@dataclass(slots=True)
class _Group:
    """One group as it was at the last look, who has left it, and who had just run there, by id and place."""

    ids: frozenset[int] = _NONE
    gone: frozenset[int] = _NONE
    marks: frozenset[StackMark] = frozenset()
    ran: frozenset[tuple[int, int]] = frozenset()

    def goes_on(self, ids: frozenset[int], marks: frozenset[StackMark]) -> bool:
        """Take it in as it is now; whether one has come back, or has run and is where it was.

        Whose stack is another than at the last look has run, unless a collection was about to move it: so it has to be
        in that place at the next look still.
        """
        left = self.ids - ids
        gone = self.gone | left
        has_come_back = not gone.isdisjoint(ids)
        has_run = not self.ran.isdisjoint((mark.id, mark.place) for mark in marks)
        before = {(mark.id, mark.place): mark.digest for mark in self.marks}
        here = ((mark.id, mark.place, mark.digest) for mark in marks)
        self.ran = frozenset((id_, at) for id_, at, digest in here if before.get((id_, at), digest) != digest)
        self.ids, self.marks, self.gone = ids, marks, gone if len(gone) <= _MOST_GONE else left
        return has_come_back or has_run


class Loops:
    """Groups of many of which one was elsewhere meanwhile and came back, or has a stack that tells that it ran.

    So does one loop for each thing that is looked after, and no leak does. Holds what it has to know of each group
    that was ever large.
    """

    def __init__(self) -> None:
        self.seen: set[TaskKey] = set()
        self._groups: dict[TaskKey, _Group] = {}

    def look(self, tasks: Tasks) -> None:
        """Take in where they are now."""
        now = {task.key: task for task in tasks.groups}
        large = {key for key, task in now.items() if task.count >= SEVERAL}
        for key in (self._groups.keys() | large) - self.seen:
            task, group = now.get(key), self._groups.setdefault(key, _Group())
            ids, marks = (known(task.ids, _NONE), task.marks) if task else (_NONE, frozenset[StackMark]())
            if group.goes_on(ids, marks):
                self.seen.add(key)
                del self._groups[key]
