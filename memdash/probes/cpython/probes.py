"""The probes of a CPython target: the collector at every tick, the allocator every few seconds, objects in slices.

They share one ``Interpreter`` and what was seen of its collector, and end together: closing either closes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from itertools import chain, repeat

from memdash.model.capability import Capability, Source
from memdash.model.missing import Maybe, Missing
from memdash.model.objects import Objects
from memdash.model.sample import Reading
from memdash.probes.cpython.census import Census
from memdash.probes.cpython.gc import CollectorWatch, gc_stats
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.memstats import HeapFigures, mem_stats
from memdash.probes.cpython.pymalloc import Pymalloc
from memdash.units import duration, ratio

__all__ = ["CensusProbe", "GcProbe", "PymallocProbe"]

_MISSED = "more collections ended between two readings than CPython remembers the times of"
_SMALL_ONLY = "HeapAlloc counts objects of up to 512 bytes; larger ones come from malloc"

_COUNTED = "objects of up to 512 bytes"

_FIRST_SLICES_S, _SLICE_S = (0.008, 0.125), 0.018
_LONG_S = 10.0

_GC_OF_ALL_UNTIL_MINOR = 8
_HEAP_OF_ALL_UNTIL_MINOR = 11


class GcProbe:
    """The collector's state: 0.05 ms."""

    name = "cpython.gc"
    capabilities = frozenset({Capability.GC})
    cadence_s = 0.0

    def __init__(self, interpreter: Interpreter, watch: CollectorWatch) -> None:
        self._interpreter = interpreter
        self._watch = watch

    def read(self) -> Reading:
        """Look once. Raises BadRead, AccessDenied, TargetExited."""
        seen = self._watch.look()
        caveats = [_MISSED] if seen.has_missed else []
        if not seen.state.is_alone:
            caveats += _others(self._interpreter, _GC_OF_ALL_UNTIL_MINOR)
        return Reading(Source.MEMORY, (gc_stats(seen),), tuple(caveats))

    def close(self) -> None:
        """Give the interpreter back. May be called twice."""
        self._interpreter.close()


class PymallocProbe:
    """MemStats from the allocator's pools: 0.3 ms for a small heap, 20 ms for 300 MB of small objects.

    ``heap`` is Missing when the pools are not to be read; ``watch`` when the collector is not.
    """

    name = "cpython.obmalloc"
    capabilities = frozenset({Capability.MEMSTATS})
    cadence_s = 2.0

    def __init__(self, interpreter: Interpreter, heap: Maybe[Pymalloc], watch: Maybe[CollectorWatch]) -> None:
        self._interpreter = interpreter
        self._heap = heap
        self._watch = watch

    def read(self) -> Reading:
        """Walk the pools once. Raises BadRead, AccessDenied, TargetExited."""
        seen = self._watch if isinstance(self._watch, Missing) else self._watch.look()
        heap = self._heap if isinstance(self._heap, Missing) else self._heap.read()
        if isinstance(heap, Missing):
            blocks = heap if isinstance(self._heap, Missing) else self._heap.all_blocks()
            figures = HeapFigures(heap, heap, heap, heap if isinstance(blocks, Missing) else blocks)
            return Reading(Source.MEMORY, (mem_stats(figures, seen),))
        figures = HeapFigures(heap.small_bytes, heap.pools_bytes, heap.arenas_bytes, heap.all_blocks)
        caveats = (_SMALL_ONLY, *_others(self._interpreter, _HEAP_OF_ALL_UNTIL_MINOR))
        return Reading(Source.MEMORY, (mem_stats(figures, seen),), caveats)

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
        self._cpu_s = cpu_s
        self._slices_s = chain(_FIRST_SLICES_S, repeat(_SLICE_S))
        self._walk: Generator[float, None, Objects] | None = None
        self._began_s = 0.0

    def read(self) -> Reading:
        """Count for a while; the last slice of a round returns it. Raises BadRead, AccessDenied, TargetExited."""
        until_s = self._cpu_s() + next(self._slices_s)
        self._interpreter.require_running()
        walk, self._walk = self._walk, None  # one that fails is not gone on with
        if walk is None:
            walk, self._began_s = self._census.walk(), time.monotonic()
        try:
            share = next(walk)
            while self._cpu_s() < until_s:
                share = next(walk)
        except StopIteration as end:
            return Reading(Source.MEMORY, (end.value,), tuple(self._caveats()))
        self._walk = walk
        return Reading(Source.MEMORY, (), pending=f"objects are being counted: {ratio(share)} so far")

    def _caveats(self) -> Iterator[str]:
        yield _COUNTED
        took_s = time.monotonic() - self._began_s
        if took_s > _LONG_S:
            yield f"counted over {duration(took_s)} while the program ran"
        yield from _others(self._interpreter, _HEAP_OF_ALL_UNTIL_MINOR)

    def close(self) -> None:
        """Give the interpreter back. May be called twice."""
        self._interpreter.close()


def _others(interpreter: Interpreter, shared_until_minor: int) -> list[str]:
    """Newer minors keep what we read in each interpreter apart, and we read that of the main one."""
    if interpreter.version.minor <= shared_until_minor:
        return []
    others = interpreter.others()
    return [f"{others} sub-interpreters are not counted"] if others else []
