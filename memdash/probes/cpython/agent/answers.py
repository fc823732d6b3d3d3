"""What the agent answers: collections and their pauses, malloc, names of threads, asyncio tasks, and where memory goes.

Runs inside a target, as ``inside`` does and by its rules: only a text for memdash, on CPython 3.8 to 3.15, compiled in
the agent's thread when something is first asked. Names and paths are cut; lists have an end.
"""

from __future__ import annotations

import _thread
import gc
import sys
import time

TYPE_CHECKING = False  # typing takes 5 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType
    from typing import Any

    Fields = dict[str, Any]

    def compiled(text: str) -> CodeType:
        """The guard's."""

    def new_lock() -> Any:
        """A lock as the interpreter makes it, and not gevent."""


PLACE = SAMPLER = ""
"""Put in by ``script``: the directory where memdash leaves files, and the text of the sampler's glue."""

TEXT = 300
PAUSES_KEPT = 256
THREADS = 2000
TASKS_LOOKED_AT = 10_000
TASKS_TEXT = 200_000
FRAMES = 32
PROOF_BYTES = 1 << 16


class Answers:
    """Everything that can be asked for, and what that needs to remember."""

    def __init__(self) -> None:
        self.pauses, self.malloc, self.tasks, self.sampling = Pauses(), Malloc(), Tasks(), Sampling()
        self.known: dict[str, Callable[..., Fields]] = {
            "time": self.pauses.begin,
            "rest": self.pauses.end,
            "pauses": self.pauses.told,
            "malloc": self.malloc.told,
            "trim": self.malloc.trim,
            "names": thread_names,
            "tasks": self.tasks.told,
            "collect": collect,
            "sample": self.sampling.start,
            "unsample": self.sampling.stop,
            "places": self.sampling.places,
            "leave": dict,
        }

    def answer(self, name: str, fields: Fields) -> Fields:
        """Raises whatever goes wrong."""
        return self.known[name](**fields)

    def undo(self) -> None:
        """Take back what was changed."""
        self.pauses.end()
        self.sampling.stop()


class Sampling:
    """The sampler of allocations, whose text is compiled when it is first asked for."""

    def __init__(self) -> None:
        self.sampler: Any = None

    def start(self, **asked: Any) -> Fields:
        """Begin, or say why not."""
        if self.sampler is None:
            namespace: dict[str, Any] = {"__name__": "memdash_sampler"}
            exec(compiled(SAMPLER), namespace)  # noqa: S102 - our own text
            self.sampler = namespace["Sampler"](PLACE, new_lock)
        told: Fields = self.sampler.start(**asked)
        return told

    def stop(self) -> Fields:
        """Give the allocators back."""
        return {} if self.sampler is None else self.sampler.stop()

    def places(self, **asked: Any) -> Fields:
        """Names of what was met."""
        return {"files": [], "rows": []} if self.sampler is None else self.sampler.names(**asked)


class Pauses:
    """Times collections. The callback runs inside the collector, and keeps nothing that the collector would count."""

    def __init__(self) -> None:
        self.ends_ns = [0] * PAUSES_KEPT
        self.lengths_ns = [0] * PAUSES_KEPT
        self.number = self.total_ns = 0
        self.callback = self.meter()

    def meter(self) -> Callable[[str, object], None]:
        """The callback: 0.2 µs each time."""
        clock, ends_ns, lengths_ns, kept = time.monotonic_ns, self.ends_ns, self.lengths_ns, PAUSES_KEPT
        began_ns = 0

        def callback(phase: str, _: object) -> None:
            nonlocal began_ns
            if phase == "start":
                began_ns = clock()
            elif began_ns:
                ended_ns = clock()
                length_ns = ended_ns - began_ns
                began_ns = 0
                at = self.number % kept
                ends_ns[at] = ended_ns
                lengths_ns[at] = length_ns
                self.total_ns += length_ns
                self.number += 1

        return callback

    def begin(self) -> Fields:
        """Time collections from now on."""
        self.end()
        gc.callbacks.append(self.callback)
        return {}

    def end(self) -> Fields:
        """Remove the callback, without asking those of the target whether they are equal to it."""
        for at in range(len(gc.callbacks) - 1, -1, -1):
            if gc.callbacks[at] is self.callback:
                del gc.callbacks[at]
        return {}

    def told(self, after: int) -> Fields:
        """How many, how long in all, and the [end, length] of those after the first ``after``, newest first."""
        number, total_ns = self.number, self.total_ns
        newest = range(number - 1, max(after, number - PAUSES_KEPT) - 1, -1)
        pauses = [[self.ends_ns[at % PAUSES_KEPT], self.lengths_ns[at % PAUSES_KEPT]] for at in newest]
        return {"number": number, "total_ns": total_ns, "pauses": pauses}


def collect() -> Fields:
    """A full collection."""
    return {"collected": gc.collect()}


class Malloc:
    """What the C library's allocator says of itself, once it has turned out to be the one that is used.

    By ``_ctypes``: what ctypes adds takes 5 ms to import, and might be a file of the target. Newer versions of libffi,
    which it brings in, keep a descriptor of their own library open from then on.
    """

    def __init__(self) -> None:
        self.functions: dict[str, Any] = {}
        self.bits = 64
        self.why = ""

    def told(self) -> Fields:
        """The figures in bytes and how long they took, or why there are none."""
        self.open()
        if self.why:
            return {"why": self.why}
        if self.bits == 32:
            with open("/proc/self/statm", "rb") as file:
                if int(file.read().split()[0]) >= 1 << 20:  # in pages
                    return {"why": "its C library is older than glibc 2.33, which counts no further than 4 GiB"}
        began_ns = time.monotonic_ns()
        used, mapped, free, top = self.figures()
        took_ns = time.monotonic_ns() - began_ns
        return {"in_use": used + mapped, "mapped": mapped, "free": free, "trimmable": top, "took_ns": took_ns}

    def figures(self) -> list[int]:
        """uordblks, hblkhd, fordblks and keepcost."""
        fields = self.functions["mallinfo"]().fields
        return [fields[number] % (1 << self.bits) for number in (7, 4, 8, 9)]

    def trim(self) -> Fields:
        """Whether malloc_trim gave anything back, or why it could not be asked."""
        self.open()
        return {"why": self.why} if self.why else {"trimmed": self.functions["malloc_trim"](0)}

    def open(self) -> None:
        """Find the functions, once."""
        if self.functions or self.why:
            return
        try:
            ctypes: Any = __import__("_ctypes")
        except ImportError:
            self.why = "it has no ctypes, which asking malloc takes"
            return
        simple = ctypes._SimpleCData  # noqa: SLF001 - what all its numbers are made of
        size: Any = type("size_t", (simple,), {"_type_": "L"})
        number: Any = type("int", (simple,), {"_type_": "i"})
        library = ctypes.dlopen(None, 0)

        def found(name: str, result: Any) -> Any:
            kind = type(name, (ctypes.CFuncPtr,), {"_flags_": ctypes.FUNCFLAG_CDECL, "_restype_": result})
            function: Any = kind(ctypes.dlsym(library, name))
            function.argtypes = () if "mallinfo" in name else (size,)
            return function

        def info(field: Any) -> Any:
            return type("mallinfo", (ctypes.Structure,), {"_fields_": [("fields", field * 10)]})

        try:
            self.functions = {name: found(name, size) for name in ("malloc", "free")}
            self.functions["malloc_trim"] = found("malloc_trim", number)
            try:
                self.functions["mallinfo"] = found("mallinfo2", info(size))
            except OSError:
                self.functions["mallinfo"], self.bits = found("mallinfo", info(number)), 32
        except OSError:
            self.why = "its C library is not glibc, and does not say what its malloc holds"
            return
        if not any(self.answers_for_itself() for _ in range(3)):
            self.why = "another allocator stands in for that of the C library, and only the latter would answer"

    def answers_for_itself(self) -> bool:
        """Whether the figures are those of the malloc in use; another thread may free as much just then."""
        before = self.figures()
        block = self.functions["malloc"](PROOF_BYTES)
        after = self.figures()
        self.functions["free"](block)
        return sum(after[:2]) - sum(before[:2]) >= PROOF_BYTES


def thread_names() -> Fields:
    """Names by thread identifier. The list is copied as it is: its lock may be one of gevent's."""
    threading = sys.modules.get("threading")
    active: dict[int, Any] = dict(getattr(threading, "_active", {}))
    names = {f"{ident:d}": getattr(active[ident], "_name", None) for ident in list(active)[:THREADS]}
    told = {ident: cut(name) for ident, name in names.items() if issubclass(type(name), str)}
    who: Any = _thread.get_ident
    if who.__module__ == "_thread":  # and not gevent's, which tells greenlets apart
        told[f"{who():d}"] = "memdash's agent"
    return {"names": told}


class Tasks:
    """The asyncio tasks of all loops, in groups of those that stand at the same place."""

    def __init__(self) -> None:
        self.loops: list[Any] = []
        self.next_search_s = 0.0

    def told(self, most: int) -> Fields:
        """At most ``most`` groups, the largest first. The total is exact; those not looked at are in no group."""
        asyncio: Any = sys.modules.get("asyncio")
        if not hasattr(asyncio, "all_tasks"):
            return {"total": 0, "groups": [], "took_ns": 0}
        began_ns = time.monotonic_ns()
        groups: dict[tuple[Any, ...], list[Any]] = {}
        total = 0
        for loop in self.live_loops(asyncio):
            tasks = list(asyncio.all_tasks(loop))
            running = asyncio.current_task(loop)
            for task in tasks[: max(TASKS_LOOKED_AT - total, 0)]:
                name, *rest = looked_at(task, task is running)
                groups.setdefault(tuple(rest), [0, name])[0] += 1
            total += len(tasks)
        ranked = sorted(groups.items(), key=lambda group: -group[1][0])[:most]
        rows = [[count, name, *key] for key, (count, name) in ranked]
        while len(repr(rows)) > TASKS_TEXT:
            del rows[len(rows) // 2 :]
        return {"total": total, "groups": rows, "took_ns": time.monotonic_ns() - began_ns}

    def live_loops(self, asyncio: Any) -> list[Any]:
        """Looking through all objects for new loops takes 30 ms when there are a million: so it is not done often."""
        import _weakref

        loops = [loop for loop in [ref() for ref in self.loops] if loop is not None and not loop.is_closed()]
        began_s = time.monotonic()
        if began_s >= self.next_search_s:
            base = asyncio.AbstractEventLoop
            found = [thing for thing in gc.get_objects() if issubclass(type(thing), base)]
            loops = [loop for loop in found if not loop.is_closed()]
            self.loops = [_weakref.ref(loop) for loop in loops]
            took_s = time.monotonic() - began_s
            self.next_search_s = began_s + max(200 * took_s, 5.0 if loops else 1.0)
        return loops


def looked_at(task: Any, is_running: bool) -> tuple[Any, ...]:
    """Name, state, where it was made if asyncio noted that (in its debug mode), and its stack, innermost first."""
    try:
        if is_running:
            state = "running"
        elif getattr(task, "_must_cancel", False):
            state = "being cancelled"
        else:
            state = "ready" if getattr(task, "_fut_waiter", None) is None else "waiting"
        return cut(task.get_name()), state, made_at(task), tuple(frames(task.get_coro()))[::-1]
    except Exception:  # noqa: BLE001 - tasks may be of any class
        return "", "unreadable", None, ()


def frames(awaited: Any) -> Iterator[tuple[str, str, int]]:
    """From the coroutine of a task to what it waits in."""
    for _ in range(FRAMES):
        for prefix, following in (("cr_", "await"), ("gi_", "yieldfrom"), ("ag_", "await")):
            code = getattr(awaited, prefix + "code", None)
            if code is not None:
                frame = getattr(awaited, prefix + "frame", None)
                line = code.co_firstlineno if frame is None else frame.f_lineno
                yield cut(getattr(awaited, "__qualname__", code.co_name)), cut(code.co_filename), line or 0
                awaited = getattr(awaited, prefix + following, None)
                break
        else:
            return


def made_at(task: Any) -> tuple[str, str, int] | None:
    """The innermost frame outside asyncio that a task was made from."""
    for entry in reversed(getattr(task, "_source_traceback", None) or ()):
        if "/asyncio/" not in entry.filename:
            return cut(entry.name), cut(entry.filename), entry.lineno or 0
    return None


def cut(text: Any) -> str:
    """The beginning of a text, as a plain string whatever class the target made of it."""
    return str.__getitem__(text, slice(TEXT))
