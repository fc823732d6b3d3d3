"""All about a group of tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot, TaskGroup
from memdash.model.tasks import Task, TaskKind
from memdash.tables.since import since_words
from memdash.tables.table import DASH
from memdash.tables.tasks import state_words
from memdash.ui.screens.drill.course import course_of
from memdash.ui.screens.drill.figures import Figure
from memdash.ui.screens.drill.screen import DrillScreen
from memdash.ui.screens.drill.section import Look, Section
from memdash.ui.screens.drill.stacks import Stack, stacks_lines
from memdash.ui.watched import Watched
from memdash.ui.widgets.words import Part
from memdash.units import Unit, byte_size, count, duration, signed

__all__ = ["TaskScreen"]

_PROVEN = "; proven: nothing can ever wake them"
_KINDS = {TaskKind.GOROUTINE: "Goroutines", TaskKind.THREAD: "Threads", TaskKind.ASYNCIO: "asyncio tasks"}


class TaskScreen(DrillScreen):
    """Who began them, how many there were, and where each of them stands."""

    titles: ClassVar[tuple[str, ...]] = ("Stacks",)

    def __init__(self, watched: Watched, key: str, frame: Frame | None) -> None:
        """``frame`` is where they stood when they were last seen."""
        super().__init__(watched)
        self._key = key
        self._frame = frame

    def rows(self, snapshot: Snapshot) -> object:
        """All groups."""
        return snapshot.tasks

    def look(self, snapshot: Snapshot, width: int) -> Look:
        """The group as it stands; its last place when it is gone."""
        groups = () if isinstance(snapshot.tasks, Missing) else snapshot.tasks
        group = next((group for group in groups if group.key == self._key), None)
        course = course_of(snapshot, Capability.TASKS, self._key, Unit.COUNT)
        last = self._frame if self._look is None else self._look.frame
        frame = group.frame if group is not None else last
        heading = () if frame is None else ((frame.function, "strong"), (frame.where(), "faint"))
        if group is None:
            return Look("Tasks", heading, (), course, (Section("Stacks", ()),), "none of these tasks is left", frame)
        return Look(
            kind=_KINDS[group.kind],
            heading=heading,
            figures=_figures(group, snapshot),
            course=course,
            sections=(Section("Stacks", stacks_lines(_stacks(group), group.frame, width), _shared(group)),),
            frame=frame,
            held=_standing(groups, group.frame.file),
            held_title="tasks",
            held_unit=Unit.COUNT,
        )


def _figures(group: TaskGroup, snapshot: Snapshot) -> tuple[Figure, ...]:
    since = since_words(snapshot, Capability.TASKS)
    look = "grows" if group.change > 0 else "shrinks" if group.change < 0 else "faint"
    waiting = (
        Figure("waiting at least", DASH, more=group.waiting_s.why)
        if isinstance(group.waiting_s, Missing)
        else Figure("waiting at least", duration(group.waiting_s), more="the one that has waited longest")
    )
    sizes = [task.stack_bytes for task in group.tasks if not isinstance(task.stack_bytes, Missing)]
    stacks = (Figure("stack memory", byte_size(sum(sizes)), more="set aside for all of them"),) if sizes else ()
    creator = group.created_by
    begun = creator.why if isinstance(creator, Missing) else f"{creator.function} {creator.where()}"
    return (
        Figure("there are now", count(group.count), more=_KINDS[group.kind].lower(), look="strong"),
        Figure("change", signed(group.change, Unit.COUNT), more=since, look=look),
        waiting,
        *stacks,
        Figure("state", text=state_words(group) + (_PROVEN if group.is_leaked else "")),
        Figure("begun by", text=begun, look="faint" if isinstance(creator, Missing) else "plain"),
    )


def _stacks(group: TaskGroup) -> tuple[Stack, ...]:
    ranked = sorted(group.tasks, key=lambda task: -task.count)
    return tuple(Stack(task.stack, partial(_words, task)) for task in ranked)


def _words(task: Task) -> Sequence[Part]:
    return [Part(_who(task)), Part(state_words(task), "faint")]


def _who(task: Task) -> str:
    """``invoice-0 and 4 more  ``; goroutines have no names of their own."""
    if task.kind is TaskKind.GOROUTINE:
        return f"{count(task.count)} goroutine{'s' * (task.count != 1)}  "
    others = f"{count(task.count - 1)} more" if task.count > 1 else ""
    if not task.name:
        return f"{count(task.count)} of them  " if others else ""
    return f"{task.name} and {others}  " if others else f"{task.name}  "


def _shared(group: TaskGroup) -> str:
    return f"{count(len(group.tasks))} in all"


def _standing(groups: tuple[TaskGroup, ...], file: str) -> dict[int, int]:
    """How many tasks stand in each line of a file."""
    lines: Counter[int] = Counter()
    for group in groups:
        for task in group.tasks:
            if task.own.file == file:
                lines[task.own.line] += task.count
    return dict(lines)
