"""Goroutines as tasks: grouped by who started them, what they do and where they are, as Go words it.

The runtime's own are left out, as NumGoroutine and tracebacks leave them out. Source: runtime/traceback.go
(isSystemGoroutine, printcreatedby), runtime/proc.go (gcount).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

from memdash.model.missing import Maybe, Missing, known
from memdash.model.tasks import SEVERAL, StackMark, Task, TaskKey, TaskKind, Tasks
from memdash.probes.go.goroutines import GoroutineReader, Kind, Tally
from memdash.probes.go.program import Program
from memdash.probes.go.symbols import Code, Symbolizer
from memdash.probes.go.wait_reasons import States
from memdash.probes.go.waits import Waits
from memdash.probes.standard import own_at

__all__ = ["TaskReader"]

_MOST_KEPT = 1 << 16
_MOST_MARKED = 256
_WAITING = "_Gwaiting _Gsyscall _Gleaked"
_BUSY = "_Grunnable _Grunning"
_USERS = frozenset({"runtime.main", "runtime.corostart", "runtime.handleAsyncEvent"})
"""Functions of the runtime that run the program's code."""

_AT_REST = {
    "runtime.runfinq": "FinalizerWait",
    "runtime.runFinalizers": "FinalizerWait",
    "runtime.runCleanups": "CleanupWait",
}
"""These run the program's finalizers and cleanups, and are the runtime's own as long as they wait for one."""

_STARTED_BY_RUNTIME = Missing("the runtime started it")
_NOT_WAITING = Missing("it does not wait")
_UNNOTED = Missing("no collection has found it waiting yet", "the runtime notes it in the second collection from then")


@dataclass(frozen=True, slots=True)
class _Told:
    """A kind in words: a task without its figures."""

    task: Task
    key: TaskKey
    may_wait: bool


class TaskReader:
    """Reads all goroutines again and again. 100 000 that rest take 20 ms, 150 ms the first time."""

    def __init__(self, program: Program, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """``clock_ns`` is the monotonic clock. Raises LayoutRefused, and what reading memory raises."""
        self._goroutines = GoroutineReader(program)
        self._states = States(program)
        self._waits = Waits(program)
        self._clock_ns = clock_ns
        self._frames = Symbolizer(program)
        self._code = Code(program)
        self._told: dict[Kind, _Told | None] = {}
        self._may_wait = {program.layout.constants.get(name) for name in _WAITING.split()}
        self._busy = {program.layout.constants.get(name) for name in _BUSY.split()}
        reasons = program.layout.wait_reasons
        self._at_rest = {name: reasons.index(reason) for name, reason in _AT_REST.items() if reason in reasons}

    def census(self) -> Generator[float, None, Tasks]:
        """Count all goroutines once: yields after each millisecond what share has been counted, returns them.

        Raises BadRead, AccessDenied, TargetExited.
        """
        tallies = yield from self._goroutines.census()
        self._waits.look()
        now_ns, hidden = self._clock_ns(), 0
        if len(self._told) > _MOST_KEPT + 2 * len(tallies):
            self._told.clear()
        groups: dict[TaskKey, Task] = {}
        for kind, tally in tallies.items():
            if kind not in self._told:
                self._told[kind] = self._tell(kind)
            told = self._told[kind]
            if told is None:
                hidden += tally.number
                continue
            task = replace(
                told.task,
                count=tally.number,
                stack_bytes=tally.stack_bytes,
                waiting_s=self._waiting_s(tally, now_ns) if told.may_wait else _NOT_WAITING,
            )
            held = groups.get(told.key)
            groups[told.key] = task if held is None else _together(held, task)
        return Tasks(tuple(groups.values()), hidden)

    def census_of_each(self) -> Generator[float, None, Tasks]:
        """The same, with the ids of all, and marks of the stacks of many alike. 100 000 take 110 ms more."""
        tasks = yield from self.census()
        all_ids, all_marks = self._goroutines.ids(), self._goroutines.marks(SEVERAL, _MOST_MARKED)
        ids, marks = defaultdict[TaskKey, set[int]](set), defaultdict[TaskKey, set[StackMark]](set)
        for kind, told in self._told.items():
            if told is not None:
                ids[told.key].update(all_ids.get(kind, ()))
                marks[told.key].update(all_marks.get(kind, ()))
        groups = tuple(
            replace(task, ids=frozenset(ids[task.key]), marks=frozenset(marks[task.key])) for task in tasks.groups
        )
        return replace(tasks, groups=groups)

    def _waiting_s(self, tally: Tally, now_ns: int) -> Maybe[float]:
        since_ns = self._waits.since(tally.waits_since_ns)
        return _UNNOTED if since_ns is None or since_ns > now_ns else (now_ns - since_ns) / 1e9

    def _tell(self, kind: Kind) -> _Told | None:
        """A kind in words; None when it is the runtime's own."""
        name = self._code.name_at(kind.started_at)
        if name.startswith("runtime.") and name not in _USERS and self._at_rest.get(name, kind.reason) == kind.reason:
            return None
        stack, is_first = kind.stack.frames, name == "runtime.main" or not kind.created_at
        task = Task(
            kind=TaskKind.GOROUTINE,
            count=0,
            state=self._states.words(kind.status, kind.reason),
            is_leaked=self._states.is_leaked(kind.status),
            stack=stack,
            created_by=_STARTED_BY_RUNTIME if is_first else self._frames[kind.created_at],
            waiting_s=_NOT_WAITING,
            name=name,
            own_at=own_at(stack, creator_known=not is_first),
            is_busy=kind.status in self._busy,
        )
        return _Told(task, task.key, kind.status in self._may_wait)


def _together(one: Task, other: Task) -> Task:
    """Two groups that differ in nothing that is shown."""
    waits: list[Maybe[float]] = [one.waiting_s, other.waiting_s]
    longest = max((wait for wait in waits if not isinstance(wait, Missing)), default=one.waiting_s)
    return replace(
        one,
        count=one.count + other.count,
        stack_bytes=known(one.stack_bytes, 0) + known(other.stack_bytes, 0),
        waiting_s=longest,
    )
