"""Tasks in groups that a person would call the same, with their changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import TaskGroup
from memdash.model.tasks import Task, TaskKind, Tasks

__all__ = ["number", "task_groups", "tasks_by_group"]


def tasks_by_group(tasks: Tasks) -> dict[str, tuple[Task, ...]]:
    """The tasks of each group, by its key."""
    found: dict[str, list[Task]] = defaultdict(list)
    for task in tasks.groups:
        found[_key(task)].append(task)
    return {key: tuple(alike) for key, alike in found.items()}


def number(tasks: Sequence[Task]) -> int:
    """How many they are together."""
    return sum(task.count for task in tasks)


def task_groups(
    newest: Mapping[str, tuple[Task, ...]],
    baseline: Mapping[str, tuple[Task, ...]],
    trends: Mapping[str, tuple[int, ...]],
) -> tuple[TaskGroup, ...]:
    """Groups with their change since the baseline, the largest first.

    One that is gone is kept while its creator has fewer tasks than it had.
    """
    changes = {
        key: number(newest.get(key, ())) - number(baseline.get(key, ())) for key in dict.fromkeys((*newest, *baseline))
    }
    of_creator: dict[tuple[TaskKind, Frame | None], int] = defaultdict(int)
    for key, change in changes.items():
        of_creator[_creator((newest.get(key) or baseline[key])[0])] += change
    groups = []
    for key, change in changes.items():
        now = newest.get(key, ())
        moved = not of_creator[_creator((now or baseline[key])[0])]
        if now or not moved:
            groups.append(_group(key, now, now or baseline[key], 0 if moved else change, trends.get(key, ())))
    groups.sort(key=lambda group: (-group.count, group.kind.value, group.key))
    return tuple(groups)


def _group(key: str, now: tuple[Task, ...], known: Sequence[Task], change: int, trend: tuple[int, ...]) -> TaskGroup:
    """A group of which ``known`` are, or were, the tasks."""
    largest = max(known, key=lambda task: task.count)
    waits = [task.waiting_s for task in now if not isinstance(task.waiting_s, Missing)]
    return TaskGroup(
        key=key,
        kind=largest.kind,
        state=largest.state,
        frame=largest.own,
        created_by=largest.created_by,
        count=number(now),
        change=change,
        waiting_s=max(waits) if waits else largest.waiting_s,
        trend=trend,
        tasks=now,
        is_leaked=largest.is_leaked,
    )


def _creator(task: Task) -> tuple[TaskKind, Frame | None]:
    return task.kind, None if isinstance(task.created_by, Missing) else task.created_by


def _key(task: Task) -> str:
    state = "busy" if task.is_busy else f"{task.state}\0leaked" if task.is_leaked else task.state
    creator = _creator(task)[1]
    begun = f"{creator.function}\0{creator.file}\0{creator.line}" if creator else ""
    return f"{task.kind.value}\0{state}\0{task.own.function}\0{task.own.file}\0{begun}"
