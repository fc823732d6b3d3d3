"""The probes of a CPython target: the collector at every tick, threads and the allocators every few seconds.

Objects by type are counted in slices.

They share one ``Interpreter``, what was seen of its collector, and the agent if there is one, and end together: closing
any of them closes the interpreter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from memdash.errors import BadRead
from memdash.model.capability import Capability, Source
from memdash.model.malloc import Malloc
from memdash.model.missing import Maybe, Missing
from memdash.model.objects import Objects
from memdash.model.sample import Reading
from memdash.model.tasks import Task, Tasks
from memdash.probes.arenas import ArenaCounter
from memdash.probes.cpython.agent.feed import AgentFeed
from memdash.probes.cpython.census import Census
from memdash.probes.cpython.gc import CollectorWatch, Seen, gc_stats
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.library import OURS
from memdash.probes.cpython.memstats import HeapFigures, mem_stats
from memdash.probes.cpython.pymalloc import NOT_IN_USE, Pymalloc
from memdash.probes.cpython.sampler.readings import SamplerFeed
from memdash.probes.cpython.threads import MOVED, ThreadWatch
from memdash.probes.slices import Done, Slices, counted_over
from memdash.units import clock_time, count, ratio

__all__ = ["ArenasProbe", "CensusProbe", "GcProbe", "PymallocProbe", "ThreadsProbe"]

_MISSED = "more collections ended between two readings than CPython remembers the times of"
_AGAIN = "memdash tries again every few seconds"
_SMALL_ONLY = "HeapAlloc counts objects of up to 512 bytes; larger ones come from malloc"

_COUNTED = "objects of up to 512 bytes"

_FIRST_SLICES_S, _SLICE_S = (0.008, 0.125), 0.018
_LONG_S = 10.0

_GC_OF_ALL_UNTIL_MINOR = 8
_HEAP_OF_ALL_UNTIL_MINOR = 11


class GcProbe:
    """The collector's state: 0.05 ms, with the agent 0.3 ms."""

    name = "cpython.gc"
    capabilities = frozenset({Capability.GC})
    cadence_s = 0.0

    def __init__(self, interpreter: Interpreter, watch: CollectorWatch) -> None:
        self._interpreter = interpreter
        self._watch = watch
        self._misses = 0

    def read(self) -> Reading:
        """Look once. Raises BadRead, AccessDenied, TargetExited."""
        seen = self._watch.look()
        caveats = [_MISSED] if seen.misses > self._misses else []
        self._misses = seen.misses
        caveats += _since(seen)
        if not seen.state.is_alone:
            caveats += _others(self._interpreter, _GC_OF_ALL_UNTIL_MINOR)
        source = Source.MEMORY if seen.timed_since_s is None else Source.AGENT
        return Reading(source, (gc_stats(seen),), tuple(caveats))

    def close(self) -> None:
        """Give the interpreter back. May be called twice."""
        self._interpreter.close()


class PymallocProbe:
    """MemStats from the allocator's pools: 0.3 ms for a small heap, 20 ms for 300 MB of small objects.

    ``heap`` is Missing when the pools are not to be read; ``watch`` when the collector is not. ``feed`` adds, at
    the same moment, what malloc holds: so HeapSmall and malloc make HeapAlloc. ``sampler`` knows what was asked for.
    """

    name = "cpython.obmalloc"
    capabilities = frozenset({Capability.MEMSTATS, Capability.MALLOC})
    cadence_s = 2.0

    def __init__(
        self,
        interpreter: Interpreter,
        heap: Maybe[Pymalloc],
        watch: Maybe[CollectorWatch],
        feed: AgentFeed,
        sampler: SamplerFeed,
    ) -> None:
        self._interpreter = interpreter
        self._heap = heap
        self._watch = watch
        self._feed = feed
        self._sampler = sampler

    def read(self) -> Reading:
        """Walk the pools once. Raises BadRead, AccessDenied, TargetExited."""
        seen = self._watch if isinstance(self._watch, Missing) else self._watch.look()
        caveats = [] if isinstance(seen, Missing) else _since(seen)
        malloc, asked = self._malloc(), self._sampler.asked()
        caveats += [] if isinstance(asked, Missing) else [f"TotalAlloc counts since {clock_time(asked.since_s)}"]
        asked_bytes = asked if isinstance(asked, Missing) else asked.size
        heap = self._heap if isinstance(self._heap, Missing) else self._heap.read()
        if isinstance(heap, Missing):
            figures = self._unread(heap, malloc, asked_bytes)
        else:
            figures = HeapFigures(
                heap.small_bytes, heap.pools_bytes, heap.arenas_bytes, heap.all_blocks, malloc.in_use_bytes, asked_bytes
            )
            caveats += _others(self._interpreter, _HEAP_OF_ALL_UNTIL_MINOR)
            caveats += [_SMALL_ONLY] if isinstance(malloc.in_use_bytes, Missing) else []
        # With malloc HeapAlloc means something else, so that and nothing else makes the source another one.
        source = Source.MEMORY if isinstance(malloc.in_use_bytes, Missing) else Source.AGENT
        return Reading(source, (mem_stats(figures, seen), malloc), tuple(caveats))

    def _malloc(self) -> Malloc:
        found = self._feed.malloc()
        if not isinstance(found, Missing):
            return found
        return Malloc(in_use_bytes=found, mapped_bytes=found, free_bytes=found, trimmable_bytes=found)

    def _unread(self, why: Missing, malloc: Malloc, asked_bytes: Maybe[int]) -> HeapFigures:
        """Without pools to read: where malloc serves all, it alone tells."""
        blocks = why if isinstance(self._heap, Missing) else self._heap.all_blocks()
        blocks = why if isinstance(blocks, Missing) else blocks
        if why is NOT_IN_USE and not isinstance(malloc.in_use_bytes, Missing):
            return HeapFigures(0, 0, 0, blocks, malloc.in_use_bytes, asked_bytes)
        return HeapFigures(why, why, why, blocks, malloc.in_use_bytes, asked_bytes)

    def close(self) -> None:
        """Give the interpreter back. May be called twice."""
        self._interpreter.close()


class ArenasProbe:
    """How much of the arenas is in RAM: 10 ms for each GiB of them."""

    name = "cpython.arenas"
    capabilities = frozenset({Capability.ARENAS})
    cadence_s = 10.0

    def __init__(self, interpreter: Interpreter, heap: Pymalloc) -> None:
        self._interpreter = interpreter
        self._heap = heap
        self._counter = ArenaCounter(interpreter.memory.pid)

    def read(self) -> Reading:
        """Count their pages. Raises BadRead, AccessDenied, TargetExited, UnsupportedRuntime."""
        self._interpreter.require_running()
        ranges = self._heap.ranges()
        if isinstance(ranges, Missing):
            return Reading(Source.PROC, (), absent=ranges)
        return Reading(Source.PROC, (self._counter.count(ranges),))

    def close(self) -> None:
        """Give the interpreter back. May be called twice."""
        self._counter.close()
        self._interpreter.close()


def _no_others() -> tuple[Task, ...]:
    return ()


class ThreadsProbe:
    """Threads with their stacks, but for that of memdash's agent: 6 ms for 100 that sleep, 25 ms when first met.

    ``others`` adds tasks that somebody else knows of, such as those of asyncio.
    """

    name = "cpython.threads"
    capabilities = frozenset({Capability.TASKS})
    cadence_s = 2.0

    def __init__(
        self, interpreter: Interpreter, watch: ThreadWatch, others: Callable[[], tuple[Task, ...]] = _no_others
    ) -> None:
        self._interpreter = interpreter
        self._watch = watch
        self._others = others

    def read(self) -> Reading:
        """Look once. Raises BadRead, AccessDenied, TargetExited."""
        try:
            threads = self._watch.look()
        except BadRead as error:
            raise BadRead(error.what, error.hint or _AGAIN) from None
        moved = sum(task.count for task in threads if task.stack == (MOVED,))
        caveats = (f"{count(moved)} stacks moved while they were read",) if moved else ()
        ours = {task.key for task in threads if task.stack and task.stack[-1].file == OURS}
        hidden = sum(task.count for task in threads if task.key in ours)
        shown = tuple(task for task in threads if task.key not in ours)
        others = self._others()
        return Reading(Source.AGENT if others else Source.MEMORY, (Tasks(shown + others, hidden),), caveats)

    def close(self) -> None:
        """Give the interpreter back. May be called twice."""
        self._interpreter.close()


class CensusProbe:
    """Live objects by type, in slices of 18 ms of CPU time; 0.5 s in all for a million objects.

    The second slice is a large one: a program of medium size is counted a second after the attach, and not while the
    first frame is being drawn.
    """

    name = "cpython.census"
    capabilities = frozenset({Capability.OBJECTS})
    cadence_s = 3.0

    def __init__(self, interpreter: Interpreter, census: Census, cpu_s: Callable[[], float] = time.thread_time) -> None:
        self._interpreter = interpreter
        self._census = census
        self._slices = Slices[float, Objects](_FIRST_SLICES_S, _SLICE_S, cpu_s)

    def read(self) -> Reading:
        """Count for a while; the last slice of a round returns it. Raises BadRead, AccessDenied, TargetExited."""
        self._interpreter.require_running()
        counted = self._slices.go_on(self._census.walk)
        if isinstance(counted, Done):
            return Reading(Source.MEMORY, (counted.result,), tuple(self._caveats()))
        return Reading(Source.MEMORY, (), pending=f"objects are being counted: {ratio(counted)} so far")

    def _caveats(self) -> Iterator[str]:
        yield _COUNTED
        yield from counted_over(self._slices.took_s, _LONG_S)
        yield from _others(self._interpreter, _HEAP_OF_ALL_UNTIL_MINOR)

    def close(self) -> None:
        """Give the interpreter back. May be called twice."""
        self._interpreter.close()


def _since(seen: Seen) -> list[str]:
    return [] if seen.timed_since_s is None else [f"pauses are timed since {clock_time(seen.timed_since_s)}"]


def _others(interpreter: Interpreter, shared_until_minor: int) -> list[str]:
    """Newer minors keep what we read in each interpreter apart, and we read that of the main one."""
    if interpreter.version.minor <= shared_until_minor:
        return []
    others = interpreter.others()
    return [f"{others} sub-interpreters are not counted"] if others else []
