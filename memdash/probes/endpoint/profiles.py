"""profile.proto as a program serves it: taken, checked, and as facts of the model.

Source: runtime/pprof (proto.go, protomem.go): values are scaled already, and the allocator's own frames left out; a
profile of goroutines has those in which they wait.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from memdash.errors import BadAnswer, BadProfile
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile, Site, Usage, leaf_at
from memdash.model.tasks import Task, TaskKey, TaskKind, Tasks
from memdash.network.address import Address
from memdash.network.client import Answer, Client
from memdash.plain import plain
from memdash.pprof.decode import decode
from memdash.pprof.document import Document, Location
from memdash.probes.endpoint.discover import PPROF

__all__ = ["LONGEST_GC_S", "decoded", "fetched", "fetched_from", "sites", "tasks"]

_SECONDS = re.compile(r"(?:^|&)seconds=(\d{1,6})(?:&|$)")
_LONGEST_DELTA_S = 24 * 3600
_VALUES = ("inuse_space", "inuse_objects", "alloc_space", "alloc_objects")
LONGEST_GC_S = 60.0
"""How long a program may take to collect its garbage before it begins to answer."""
_LEAKS = "goroutineleak"
_LONGEST_SHOWN = 200
_HINT = "give the URL of net/http/pprof, such as http://localhost:6060/debug/pprof/"
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


def fetched(client: Client, kind: str, seconds: int = 0) -> Document:
    """Take a profile of ``kind`` (heap, allocs, goroutine, goroutineleak …), or what changes of it in ``seconds``.

    Raises EndpointUnreachable, BadAnswer.
    """
    longer_s = seconds + (LONGEST_GC_S if kind == _LEAKS else 0.0)
    return decoded(client.get(kind, f"seconds={seconds}" if seconds else "", longer_s=longer_s))


def fetched_from(address: Address) -> Document:
    """Take what is at a URL; the heap where that is a server or the folder of net/http/pprof.

    Raises EndpointUnreachable, BadAnswer.
    """
    if address.path == "/":
        address = address.at(f"{PPROF}heap", address.query)
    elif address.path.endswith(("/pprof", "/pprof/")):
        address = address.at(f"{address.path.rstrip('/')}/heap", address.query)
    asked = _SECONDS.search(address.query)
    seconds = int(asked[1]) if asked else 0
    return decoded(Client(address).get(address.path, address.query, longer_s=min(seconds, _LONGEST_DELTA_S)))


def decoded(answer: Answer) -> Document:
    """The profile that was answered with. Raises BadAnswer."""
    if answer.content_type == "text/html":
        raise BadAnswer(f"{answer.url} answers with a web page, not with a profile", _HINT)
    try:
        return decode(answer.body)
    except BadProfile as error:
        raise BadAnswer(f"{answer.url}: {error.what}", _HINT) from None


def sites(document: Document) -> Profile:
    """A heap profile as allocation sites. Raises BadAnswer when it is a profile of something else.

    What has been allocated since the last collection is listed without figures, and left out here.
    """
    kinds = [kind for kind, _ in document.sample_types]
    if not set(kinds) >= set(_VALUES):
        raise BadAnswer(f"this is no heap profile: it measures {plain(', '.join(kinds))[:_LONGEST_SHOWN] or 'nothing'}")
    places = [kinds.index(kind) for kind in _VALUES]
    calls = {key: tuple(_calls(location)) for key, location in document.locations.items()}
    found = []
    for keys, values, _ in document.samples:
        usage = Usage(*[max(values[place], 0) for place in places])
        if not any(usage):
            continue
        expanded = [call for key in keys for call in calls[key]]
        stack, pcs = tuple([frame for frame, _ in expanded]), tuple([pc for _, pc in expanded])
        found.append(Site(stack, usage, pcs, leaf_at(stack)))
    return Profile(tuple(found), max(document.period, 1), published=True)


def tasks(document: Document) -> Tasks:
    """A goroutine profile as groups of tasks. Raises BadAnswer when it is a profile of something else.

    Hidden are the one that answers the question, and those that have not run yet, such as one which waits for the end
    of our connection.
    """
    if [kind for kind, _ in document.sample_types] != ["goroutine"]:
        raise BadAnswer("this is no goroutine profile")
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
    began = next((frame.function for frame in reversed(stack) if frame.function != _BOTTOM), "")
    state = _state(stack)
    return Task(
        kind=TaskKind.GOROUTINE,
        count=count,
        state=state,
        stack=stack,
        created_by=_UNTOLD,
        waiting_s=_UNTOLD,
        name=began,
        stack_bytes=_UNTOLD,
        own_at=leaf_at(stack),
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
