"""A group of tasks in full: how many, since when, where each of them stands."""

from __future__ import annotations

from collections import Counter

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.snapshot import Snapshot, TaskGroup
from memdash.model.tasks import Task, TaskKind
from memdash.tables.row_figures import STACKS_AT_MOST, RowFigure, RowStack, RowStacks, missing_figure
from memdash.tables.since import since_words
from memdash.tables.table import Cell, Tone
from memdash.tables.task_words import state_words
from memdash.tables.tasks import KIND_NAMES
from memdash.units import Unit, byte_size, count, duration, signed, things

__all__ = ["task_figures", "task_stacks", "tasks_by_line"]

_PROVEN = "; proven: nothing can ever wake them"


def task_figures(group: TaskGroup, snapshot: Snapshot) -> tuple[RowFigure, ...]:
    """How many, the change if there is a moment to count from, how long they wait, their stacks, their begin."""
    since = since_words(snapshot, Capability.TASKS)
    change = RowFigure("change", signed(group.change, Unit.COUNT), more=since, tone=Tone.of_change(group.change))
    waiting = (
        missing_figure("waiting at least", group.waiting_s.why)
        if isinstance(group.waiting_s, Missing)
        else RowFigure("waiting at least", duration(group.waiting_s), more="the one that has waited longest")
    )
    sizes = [task.stack_bytes for task in group.tasks if not isinstance(task.stack_bytes, Missing)]
    stacks = (RowFigure("stack memory", byte_size(sum(sizes)), more="set aside for all of them"),) if sizes else ()
    creator = group.created_by
    word = "begun with" if group.kind.is_begun_with else "begun by"
    begun_by = (
        RowFigure(word, text=creator.why, tone=Tone.FAINT)
        if isinstance(creator, Missing)
        else RowFigure(word, text=f"{creator.function} {creator.where()}")
    )
    return (
        RowFigure("there are", count(group.count), more=KIND_NAMES[group.kind].lower(), tone=Tone.STRONG),
        *((change,) if since else ()),
        waiting,
        *stacks,
        RowFigure("state", text=state_words(group) + (_PROVEN if group.is_leaked else "")),
        begun_by,
    )


def task_stacks(group: TaskGroup) -> RowStacks:
    """Where they stand, most of them first: who they are, and what they do."""
    ranked = sorted(group.tasks, key=lambda task: -task.count)
    first = (RowStack(task.stack, _words(task)) for task in ranked[:STACKS_AT_MOST])
    return RowStacks(tuple(first), len(ranked))


def _words(task: Task) -> tuple[Cell, ...]:
    state = Cell(state_words(task), Tone.FAINT)
    return (Cell(who), state) if (who := _who(task)) else (state,)


def _who(task: Task) -> str:
    """``invoice-0 and 4 more``; goroutines have no names of their own."""
    if task.kind is TaskKind.GOROUTINE:
        return things(task.count, "goroutine")
    others = f"{count(task.count - 1)} more" if task.count > 1 else ""
    if not task.name:
        return f"{count(task.count)} of them" if others else ""
    return f"{task.name} and {others}" if others else task.name


def tasks_by_line(snapshot: Snapshot, file: str) -> dict[int, int]:
    """How many tasks stand in each line of a file."""
    lines: Counter[int] = Counter()
    for group in () if isinstance(snapshot.tasks, Missing) else snapshot.tasks:
        for task in group.tasks:
            if task.own.file == file:
                lines[task.own.line] += task.count
    return dict(lines)
