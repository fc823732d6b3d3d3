"""What there is to say about one row of tasks: who began them, how many there were, and where each of them stands."""

from __future__ import annotations

from collections.abc import Sequence

from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame
from memdash.model.snapshot import Snapshot, TaskGroup
from memdash.model.tasks import Task
from memdash.tables.since import since_words
from memdash.ui.screens.detail import TextScreen
from memdash.ui.screens.lines import folded, stack_lines
from memdash.ui.widgets.spark import sparkline
from memdash.ui.widgets.words import Part
from memdash.units import Unit, count, duration, signed

__all__ = ["TaskScreen"]

_STACKS_AT_MOST = 50
_LABEL_CELLS = 17
_PROVEN = "proven: nothing can ever wake them"


class TaskScreen(TextScreen):
    """The tasks of one row, with every stack in full."""

    def __init__(self, snapshot: Snapshot, key: str) -> None:
        super().__init__("Tasks")
        self._snapshot = snapshot
        rows = () if isinstance(snapshot.tasks, Missing) else snapshot.tasks
        self._row = next((row for row in rows if row.key == key), None)

    def lines(self, width: int) -> Sequence[Sequence[Part]]:
        """Figures first, then the stacks, most tasks first."""
        if self._row is None:
            return [[Part("none of these tasks is left", "faint")]]
        return [*self._figures(self._row, width), [], *_stacks(self._row, width)]

    def _figures(self, row: TaskGroup, width: int) -> list[list[Part]]:
        change = f"{signed(row.change, Unit.COUNT)} {since_words(self._snapshot, Capability.TASKS)}"
        lines = [
            *folded(row.frame.function, width, "strong"),
            *folded(_where(row.frame), width, "faint"),
            [],
            _labelled("there are now", count(row.count), change, look="grows" if row.change > 0 else "faint"),
            _labelled("state", row.state, _PROVEN if any(task.is_leaked for task in row.tasks) else ""),
            _labelled("waiting at least", *_waiting(row.waiting_s)),
        ]
        if isinstance(row.created_by, Missing):
            lines.append(_labelled("begun by", "", row.created_by.why))
        else:
            lines.append(_labelled("begun by", row.created_by.function, _where(row.created_by)))
        if row.trend:
            drawn = sparkline([float(number) for number in row.trend], max(width - _LABEL_CELLS - 3, 10)).lstrip()
            lines.append([_label("course"), Part(drawn, "spark")])
        return lines


def _label(words: str) -> Part:
    return Part(f"{words:<{_LABEL_CELLS}}", "faint")


def _labelled(label: str, words: str, more: str = "", look: str = "faint") -> list[Part]:
    return [_label(label), Part(f"{words}  " if words else "", "strong"), Part(more, look)]


def _where(frame: Frame) -> str:
    return f"{frame.file}:{frame.line}" if frame.line else frame.file


def _waiting(waiting_s: Maybe[float]) -> tuple[str, str]:
    return ("", waiting_s.why) if isinstance(waiting_s, Missing) else (duration(waiting_s), "")


def _who(task: Task) -> str:
    """``invoice-0 and 4 more  ``."""
    others = f"{count(task.count - 1)} more" if task.count > 1 else ""
    if not task.name:
        return f"{count(task.count)} of them  " if others else ""
    return f"{task.name} and {others}  " if others else f"{task.name}  "


def _stacks(row: TaskGroup, width: int) -> list[list[Part]]:
    lines: list[list[Part]] = []
    ranked = sorted(row.tasks, key=lambda task: -task.count)
    for number, task in enumerate(ranked[:_STACKS_AT_MOST], start=1):
        lines.append(
            [
                Part(f"stack {number} of {len(ranked)}  ", "title"),
                Part(_who(task)),
                Part(task.state, "faint"),
            ]
        )
        lines += [*stack_lines(task.stack, row.frame, width), []]
    if len(ranked) > _STACKS_AT_MOST:
        lines.append([Part(f"and {count(len(ranked) - _STACKS_AT_MOST)} more stacks", "faint")])
    return lines
