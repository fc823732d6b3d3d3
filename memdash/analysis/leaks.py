"""Which tasks have leaked: those that are still there when they should long have ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from memdash.model.missing import Missing
from memdash.model.tasks import Task, TaskKey, Tasks
from memdash.units import count, duration

__all__ = ["Expected", "Suspect", "suspects"]

_FIRST_NAMES = frozenset({"runtime.main", "MainThread"})
_FIRST_FUNCTIONS = frozenset({"<module>", "_run_module_as_main"})
"""What a program begins with, a goroutine or a thread, ends with it."""

_OF_THE_LIBRARY = frozenset({"os/signal.signal_recv", "os/signal.loop"})
"""What importing os/signal starts never ends."""

_PROVEN = "(leaked)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Tasks that may stay: by the function they stand in, by the one that started them, or as many as there were."""

    top_functions: frozenset[str] = frozenset()
    creators: frozenset[str] = frozenset()
    current: Tasks = field(default=Tasks(()))

    def holds(self, task: Task) -> bool:
        """Whether a task's functions say that it may stay."""
        top, first = (task.stack[0].function, task.stack[-1].function) if task.stack else ("", "")
        if task.name in _FIRST_NAMES or first in _FIRST_FUNCTIONS:
            return True
        creator = "" if isinstance(task.created_by, Missing) else task.created_by.function
        return top in self.top_functions | _OF_THE_LIBRARY or creator in self.creators


@dataclass(frozen=True, slots=True)
class Suspect:
    """A group that stays: as it is now, and how many more than expected were there at the first and the last look.

    ``number`` were there at every look.
    """

    task: Task
    number: int
    first: int
    last: int

    @property
    def is_proven(self) -> bool:
        """Whether the runtime itself has found that nothing can ever wake them."""
        return self.task.state.endswith(_PROVEN)

    @property
    def evidence(self) -> str:
        """In one line: proof, growth and age, as far as they are known."""
        words = ["found by the runtime's own search for leaks"] if self.is_proven else []
        if self.first != self.last:
            words.append(f"{count(self.first)} at the first look, {count(self.last)} at the last")
        else:
            words.append("as many at every look")
        waiting_s = self.task.waiting_s
        if not isinstance(waiting_s, Missing):
            words.append(f"waiting for at least {duration(waiting_s)}")
        return " · ".join(words)


def suspects(looks: Sequence[Tasks], expected: Expected) -> tuple[Suspect, ...]:
    """What all of these looks show and nothing explains, the most first; none when there was no look."""
    allowed = _numbers(expected.current)
    numbers = [_numbers(look) for look in looks]
    found = []
    for task in looks[-1].groups if looks else ():
        if expected.holds(task):
            continue
        more = [number[task.key] - allowed[task.key] for number in numbers]
        if min(more) > 0:
            found.append(Suspect(task, min(more), more[0], more[-1]))
    return tuple(sorted(found, key=lambda suspect: (-suspect.number, suspect.task.name)))


def _numbers(tasks: Tasks) -> Counter[TaskKey]:
    return Counter({task.key: task.count for task in tasks.groups})
