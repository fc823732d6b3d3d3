"""Tasks: threads, goroutines, asyncio tasks; what each waits for, and whether they pile up."""

from __future__ import annotations

from textual.screen import Screen

from memdash.model.capability import Capability
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot, TaskGroup
from memdash.plain import plain
from memdash.tables.since import since_words
from memdash.tables.table import Table
from memdash.tables.tasks import TaskOrder, has_tasks, tasks_table, tasks_title
from memdash.ui.panes.sorted import SortedPane
from memdash.ui.sorting import Sorting
from memdash.ui.watched import Watched

__all__ = ["TasksPane"]


class TasksPane(SortedPane):
    """Sorts and filters groups of tasks. Where the runtime has none to read, it leaves its room to others."""

    key = "tasks"
    capability = Capability.TASKS
    title = "Tasks"
    tabbed = True

    def __init__(self) -> None:
        super().__init__()
        self.order = Sorting(TaskOrder, (TaskOrder.STATE, TaskOrder.FUNCTION, TaskOrder.WHERE))
        self._since = ""
        self._groups: tuple[TaskGroup, ...] = ()
        self._built: tuple[object, ...] = ()

    @property
    def sorting(self) -> Sorting[TaskOrder]:
        """The order of the groups."""
        return self.order

    def screen_of_row(self, watched: Watched) -> Screen[None] | None:
        """The stacks and the course of the group under the cursor."""
        from memdash.ui.screens.drill.tasks import TaskScreen

        return TaskScreen(watched, self.row.key, self.frame_of_row) if self.row else None

    @property
    def frame_of_row(self) -> Frame | None:
        """Where the tasks under the cursor stand."""
        return next((group.frame for group in self._groups if self.row and group.key == self.row.key), None)

    def wants_room(self, snapshot: Snapshot) -> bool:
        """Whether there is anything to say of tasks."""
        return has_tasks(snapshot)

    def caption(self, snapshot: Snapshot) -> str:
        """What kind they are, and how many."""
        return tasks_title(snapshot)

    @property
    def summary(self) -> str:
        """Since when changes count."""
        return self._since

    @property
    def words(self) -> str:
        """State, function, file in full and line."""
        if (row := self.row) is None or (frame := self.frame_of_row) is None:
            return ""
        state, function = (cell.text for cell in row.cells[2:4])
        return plain(f"{state} {function} {frame.where()}".strip())

    def build(self, snapshot: Snapshot) -> Table:
        """The tasks, as asked for; the same table as before while neither they nor the wish have changed."""
        wish = (snapshot.tasks, self.order.order, self.order.reversed, self.wanted)
        if isinstance(snapshot.tasks, Missing):
            self._groups, self._since = (), ""
        else:
            self._groups, self._since = snapshot.tasks, since_words(snapshot, self.capability, short=True)
        if self._built and all(new is old for new, old in zip(wish, self._built, strict=True)):
            return self.table
        self._built = wish
        return tasks_table(snapshot, self.order.order, self.order.reversed, self.wanted)
