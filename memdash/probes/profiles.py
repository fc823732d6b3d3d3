"""profile.proto, as a program's own profiler writes it, as facts of the model.

Source: runtime/pprof (proto.go, protomem.go): values are scaled already, and the allocator's own frames left out; a
profile of goroutines has those in which they wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from memdash.errors import BadAnswer
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile, Site, Usage, leaf_at
from memdash.model.tasks import Task, TaskKey, TaskKind, Tasks
from memdash.plain import excerpt
from memdash.pprof.document import Document, Location
from memdash.probes.standard import own_at

__all__ = ["sites", "tasks"]

_VALUES = ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects")
_BOTTOM = "runtime.goexit"
_PARKED = "runtime.gopark"
_ANSWERING = "runtime/pprof.writeGoroutine"
_PARKED_SOMEHOW = "waiting"
_BUSY = "running or runnable"
_DEEPEST_WAIT = 6
_STATES = {
    "runtime.chanrecv": "chan receive",
    "runtime.chansend": "chan send",
    "runtime.selectgo": "select",
    "runtime.block": "select (no cases)",
    "internal/poll.runtime_pollWait": "IO wait",
    "time.Sleep": "sleep",
    "sync.runtime_Semacquire": "semacquire",
    "sync.runtime_SemacquireWaitGroup": "sync.WaitGroup.Wait",
    "sync.runtime_SemacquireMutex": "sync.Mutex.Lock",
    "internal/sync.runtime_SemacquireMutex": "sync.Mutex.Lock",
    "sync.runtime_SemacquireRWMutexR": "sync.RWMutex.RLock",
    "sync.runtime_SemacquireRWMutex": "sync.RWMutex.Lock",
    "sync.runtime_notifyListWait": "sync.Cond.Wait",
    "os/signal.signal_recv": "syscall",
    "syscall.Syscall": "syscall",
    "syscall.Syscall6": "syscall",
}
"""What a goroutine waits for that stands in one of these, in the words of Go's tracebacks."""

_UNTOLD = Missing("a goroutine profile does not tell it", "watched by its pid, the process has it in its memory")


def sites(document: Document) -> Profile:
    """A heap profile as allocation sites. Raises BadAnswer when it is a profile of something else.

    What has been allocated since the last collection is listed without figures, and left out here.
    """
    kinds = [kind for kind, _ in document.sample_types]
    if not set(kinds) >= set(_VALUES):
        raise BadAnswer(f"this is no heap profile: it measures {excerpt(', '.join(kinds)) or 'nothing'}")
    places = [kinds.index(kind) for kind in _VALUES]
    calls = {key: tuple(_calls(location)) for key, location in document.locations.items()}
    expanded: dict[tuple[int, ...], tuple[tuple[Frame, ...], tuple[int, ...], int]] = {}
    found = []
    for keys, values, _ in document.samples:
        usage = Usage(*[max(values[place], 0) for place in places])
        if not any(usage):
            continue
        if keys not in expanded:  # objects of each size have a sample of their own under the same stack
            whole = [call for key in keys for call in calls[key]]
            frames = tuple([frame for frame, _ in whole])
            expanded[keys] = frames, tuple([pc for _, pc in whole]), leaf_at(frames)
        stack, pcs, leaf = expanded[keys]
        found.append(Site(stack, usage, pcs, leaf))
    return Profile(tuple(found), max(document.period, 1), published=True)


def tasks(document: Document, kind: str = "goroutine") -> Tasks:
    """A goroutine profile as groups of tasks; ``kind`` is what it counts. Raises BadAnswer when that is not so.

    Hidden are the one that answers the question, and those that have not run yet, such as one which waits for the end
    of our connection.
    """
    if [kind for kind, _ in document.sample_types] != [kind]:
        raise BadAnswer(f"this is no {kind} profile")
    calls = {key: tuple(_calls(location)) for key, location in document.locations.items()}
    groups: dict[TaskKey, Task] = {}
    hidden = 0
    for keys, (count, *_), _ in document.samples:
        task = _task(tuple([frame for key in keys for frame, _ in calls[key]]), max(count, 0))
        if not task.stack or _ANSWERING in {frame.function for frame in task.stack}:
            hidden += task.count
            continue
        held = groups.get(task.key)  # the same stack once more, under other labels
        groups[task.key] = task if held is None else replace(held, count=held.count + task.count)
    return Tasks(tuple(groups.values()), hidden)


def _task(stack: tuple[Frame, ...], count: int) -> Task:
    """Without the functions of the runtime that it waits in: its state says that, as in Go's tracebacks."""
    began = next((frame.function for frame in reversed(stack) if frame.function != _BOTTOM), "")
    state, shown = _state(stack), stack[leaf_at(stack) :]
    return Task(
        kind=TaskKind.GOROUTINE,
        count=count,
        state=state,
        stack=shown,
        created_by=_UNTOLD,
        waiting_s=_UNTOLD,
        name=began,
        stack_bytes=_UNTOLD,
        own_at=own_at(shown, creator_known=False),
        is_busy=state == _BUSY,
    )


def _state(stack: tuple[Frame, ...]) -> str:
    """What it waits for, by the function of the runtime or the library that it stands in."""
    for frame in stack[:_DEEPEST_WAIT]:
        if frame.function in _STATES:
            return _STATES[frame.function]
    return _PARKED_SOMEHOW if stack and stack[0].function == _PARKED else _BUSY


def _calls(location: Location) -> Iterator[tuple[Frame, int]]:
    """The calls at an address, innermost first, each with its return address."""
    for function, line, _ in location.lines:
        yield Frame(function.name, function.file, line), location.address + 1
    if not location.lines:
        yield Frame(f"{location.address:#x}", "", 0), location.address + 1
