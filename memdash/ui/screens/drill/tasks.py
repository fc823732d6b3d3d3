"""All about a group of tasks."""

from __future__ import annotations

from typing import ClassVar

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot
from memdash.tables.row_course import course_of
from memdash.tables.row_tasks import task_figures, task_stacks, tasks_by_line
from memdash.tables.tasks import KIND_NAMES
from memdash.ui.screens.drill.screen import DrillScreen
from memdash.ui.screens.drill.section import Look, Section
from memdash.ui.screens.drill.stacks import stacks_lines
from memdash.ui.watched import Watched
from memdash.units import Unit, count

__all__ = ["TaskScreen"]


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
            return Look("Tasks", heading, (), course, (Section(()),), "none of these tasks is left", frame)
        stacks = task_stacks(group)
        return Look(
            kind=KIND_NAMES[group.kind],
            heading=heading,
            figures=task_figures(group, snapshot),
            course=course,
            sections=(Section(stacks_lines(stacks, group.frame, width), f"{count(stacks.total)} in all"),),
            frame=frame,
            held=tasks_by_line(snapshot, group.frame.file),
            held_title="tasks",
            held_unit=Unit.COUNT,
        )
