"""Tasks: one row for those that stand in the same function of the program, for the same reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum

from memdash.model.missing import Maybe, Missing
from memdash.model.snapshot import Snapshot, State, TaskGroup
from memdash.model.tasks import TaskKind
from memdash.tables.table import DASH, Cell, Column, Row, Table, Tone
from memdash.tables.task_words import state_words
from memdash.units import Unit, count, duration, signed

__all__ = ["KIND_NAMES", "TaskOrder", "has_tasks", "tasks_table", "tasks_title"]

_ROWS_AT_MOST = 500
_STARTED = " started it"

KIND_NAMES = {TaskKind.GOROUTINE: "Goroutines", TaskKind.THREAD: "Threads", TaskKind.ASYNCIO: "asyncio tasks"}

_COLUMNS = (
    Column("count", "count", 6, right=True),
    Column("change", "Δ", 8, right=True, least=6),
    Column("state", "state", 18, least=13),
    Column("function", "function", 0, cut="function", least=15),
    Column("where", "where", 18, cut="start", least=13, drop=1),
    Column("waiting", "waiting", 8, right=True, drop=2),
)


class TaskOrder(Enum):
    """What the rows are sorted by; the value is the column's key."""

    COUNT = "count"
    CHANGE = "change"
    STATE = "state"
    FUNCTION = "function"
    WHERE = "where"
    WAITING = "waiting"


_KEYS: dict[TaskOrder, tuple[Callable[[TaskGroup], tuple[float | str, ...]], bool]] = {
    TaskOrder.COUNT: (lambda row: (row.count, row.change), True),
    TaskOrder.CHANGE: (lambda row: (row.change, row.count), True),
    TaskOrder.STATE: (lambda row: (state_words(row), row.frame.function), False),
    TaskOrder.FUNCTION: (lambda row: (row.frame.function, row.frame.file), False),
    TaskOrder.WHERE: (lambda row: (row.frame.file, row.frame.line), False),
    TaskOrder.WAITING: (lambda row: (_seconds(row.waiting_s), row.count), True),
}
"""Sort key, and whether large comes first."""


def has_tasks(snapshot: Snapshot) -> bool:
    """Whether there is anything to say of tasks: what there are, or a reason that a person can do something about."""
    tasks = snapshot.tasks
    return not isinstance(tasks, Missing) or bool(tasks.hint and snapshot.state is not State.ATTACHING)


def tasks_title(snapshot: Snapshot) -> str:
    """``Threads 12``, ``Goroutines 8 490``; ``Tasks 14`` where there are several kinds."""
    tasks = snapshot.sample.tasks
    if isinstance(tasks, Missing):
        return "Tasks"
    kinds = {task.kind for task in tasks.groups}
    return f"{KIND_NAMES[kinds.pop()] if len(kinds) == 1 else 'Tasks'} {count(tasks.total)}"


def tasks_table(
    snapshot: Snapshot, order: TaskOrder = TaskOrder.COUNT, reverse: bool = False, wanted: str = ""
) -> Table:
    """Number, change since the baseline, state, function, file and line, and how long at least.

    ``wanted`` keeps the rows whose function, file, state or name contains it, whatever its case. Figures come from
    large to small, names from A to Z; ``reverse`` turns that round.
    """
    title = tasks_title(snapshot)
    if isinstance(snapshot.tasks, Missing):
        return Table(title, _COLUMNS, (), snapshot.tasks.words)
    needle = wanted.casefold()
    shown = [row for row in snapshot.tasks if not needle or needle in _searched(row)]
    key, downwards = _KEYS[order]
    shown.sort(key=lambda row: row.key)
    shown.sort(key=key, reverse=downwards is not reverse)
    rows = tuple(Row(row.key, _cells(row)) for row in shown[:_ROWS_AT_MOST])
    return Table(title, _columns(shown), rows, f"no task matches {wanted!r}" if wanted else "no tasks")


def _columns(shown: Sequence[TaskGroup]) -> tuple[Column, ...]:
    """As wide as the largest numbers take: a figure that loses a digit is another one."""
    counted, changed, *others = _COLUMNS
    numbers = max((_cells_of(row.count) for row in shown), default=0)
    changes = max((_cells_of(abs(row.change)) for row in shown), default=0) + len("+ ▲")
    return (
        replace(counted, width=max(counted.width, numbers)),
        replace(changed, width=max(changed.width, changes), least=max(changed.least, changes)),
        *others,
    )


def _cells_of(number: int) -> int:
    return len(count(number))


def _searched(row: TaskGroup) -> str:
    names = (task.name for task in row.tasks)
    return "\n".join((row.frame.function, row.frame.file, state_words(row), *names)).casefold()


def _cells(row: TaskGroup) -> tuple[Cell, ...]:
    where = row.frame.where(parts=2)
    return (
        Cell(count(row.count), Tone.STRONG, sort=row.count),
        _change(row.change),
        _state(row),
        Cell(row.frame.function + _STARTED * row.is_creators, sort=row.frame.function),
        Cell(where, Tone.FAINT, sort=where, note=row.frame.file),
        _waiting(row.waiting_s),
    )


def _state(row: TaskGroup) -> Cell:
    """What is proven comes first: the end of it may be cut off."""
    if row.is_leaked:
        return Cell(f"leaked, {row.state}", Tone.WARNING, sort=state_words(row))
    return Cell(row.state, sort=row.state)


def _change(change: int) -> Cell:
    return Cell(f"{signed(change, Unit.COUNT)} {'▲' if change > 0 else ' '}", Tone.of_change(change), sort=change)


def _waiting(waiting_s: Maybe[float]) -> Cell:
    if isinstance(waiting_s, Missing):
        return Cell(DASH, Tone.FAINT, note=waiting_s.why)
    return Cell(f"≥{duration(waiting_s)}", Tone.FAINT, sort=waiting_s)


def _seconds(waiting_s: Maybe[float]) -> float:
    return -1.0 if isinstance(waiting_s, Missing) else waiting_s
