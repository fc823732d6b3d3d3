"""Groups of tasks, with their changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from memdash.model.snapshot import TaskGroup
from memdash.model.tasks import Task, TaskKey, Tasks

__all__ = ["task_groups", "tasks_by_key"]


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
