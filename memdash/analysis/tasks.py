"""Groups of tasks, with their changes; and rows of those that a person would call the same."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import TaskGroup
from memdash.model.tasks import Task, TaskKey, TaskKind, Tasks

__all__ = ["TaskRow", "own_frame", "task_groups", "task_rows", "tasks_by_key"]

_BUSY = ("running", "holds the GIL", "wants the GIL")
"""How the states begin that a thread which computes goes through many times a second."""

_STANDARD_LIBRARY = re.compile(r"(?:^|/)lib(?:64)?/python3\.\d+/(?!(?:site|dist)-packages/)|^<frozen ")
_NOWHERE = Frame("(no stack)", "", 0)


def tasks_by_key(tasks: Tasks) -> dict[TaskKey, Task]:
    """The groups by what tells them apart."""
    return {task.key: task for task in tasks.groups}


def task_groups(
    newest: Mapping[TaskKey, Task], baseline: Mapping[TaskKey, Task], trends: Mapping[TaskKey, tuple[int, ...]]
) -> tuple[TaskGroup, ...]:
    """Groups with their change since the baseline, the largest first; one that is gone is kept with a count of 0."""
    groups = [
        TaskGroup(task, task.count - (baseline[key].count if key in baseline else 0), trends.get(key, ()))
        for key, task in newest.items()
    ]
    groups += [
        TaskGroup(replace(task, count=0), -task.count, trends.get(key, ()))
        for key, task in baseline.items()
        if key not in newest
    ]
    groups.sort(key=lambda group: (-group.task.count, group.task.kind.value, group.task.name))
    return tuple(groups)


def own_frame(stack: Sequence[Frame]) -> Frame:
    """Where the program itself stands: the innermost frame outside Python's standard library, else the innermost."""
    for frame in stack:
        if not _is_library(frame.file):
            return frame
    return stack[0] if stack else _NOWHERE


@lru_cache(maxsize=4096)
def _is_library(file: str) -> bool:
    return _STANDARD_LIBRARY.search(file) is not None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """Groups with one kind, creator, state and function of the program, wherever in it they stand.

    ``state`` and ``frame`` are those of the largest; a task that computes counts as one state whether it just runs,
    holds the GIL or waits for it. ``change`` is 0 while their creator has as many tasks as at the baseline: they only
    moved. ``waiting_s`` is that of the one that has waited longest. ``groups`` are those that have any tasks now.
    """

    key: str
    kind: TaskKind
    state: str
    frame: Frame
    created_by: Maybe[Frame]
    count: int
    change: int
    waiting_s: Maybe[float]
    groups: tuple[TaskGroup, ...]


def task_rows(groups: Sequence[TaskGroup]) -> tuple[TaskRow, ...]:
    """In no particular order. Those without tasks are left out, unless their creator has fewer than it had."""
    alike: dict[str, list[TaskGroup]] = defaultdict(list)
    changed: dict[tuple[TaskKind, Frame | None], int] = defaultdict(int)
    for group in groups:
        alike[_row_key(group.task)].append(group)
        changed[_creator(group.task)] += group.change
    rows = (_row(key, held, changed[_creator(held[0].task)]) for key, held in alike.items())
    return tuple(row for row in rows if row.count or row.change)


def _creator(task: Task) -> tuple[TaskKind, Frame | None]:
    return task.kind, None if isinstance(task.created_by, Missing) else task.created_by


def _row_key(task: Task) -> str:
    """What a row is known by from one reading to the next."""
    state = "busy" if task.state.startswith(_BUSY) else task.state
    creator = _creator(task)[1]
    begun = f"{creator.function}\0{creator.file}\0{creator.line}" if creator else ""
    frame = own_frame(task.stack)
    return f"{task.kind.value}\0{state}\0{frame.function}\0{frame.file}\0{begun}"


def _row(key: str, groups: Sequence[TaskGroup], change_of_creator: int) -> TaskRow:
    largest = max(groups, key=lambda group: group.task.count).task
    waits = [group.task.waiting_s for group in groups if group.task.count]
    known = [wait for wait in waits if not isinstance(wait, Missing)]
    return TaskRow(
        key=key,
        kind=largest.kind,
        state=largest.state,
        frame=own_frame(largest.stack),
        created_by=largest.created_by,
        count=sum(group.task.count for group in groups),
        change=sum(group.change for group in groups) if change_of_creator else 0,
        waiting_s=max(known) if known else largest.waiting_s,
        groups=tuple(group for group in groups if group.task.count),
    )
