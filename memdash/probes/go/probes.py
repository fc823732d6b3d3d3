"""The probes of a Go target: MemStats with the collector at every tick, the others every second or two.

They share one ``Program`` and end together: closing any of them closes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from memdash.model.capability import Capability, Source
from memdash.model.gc import Cycle, GcStats
from memdash.model.missing import Missing
from memdash.model.sample import Reading
from memdash.model.tasks import Tasks
from memdash.probes.arenas import ArenaCounter
from memdash.probes.go.arenas import read_arenas
from memdash.probes.go.counters import CounterReader, Counters
from memdash.probes.go.gc import gc_stats
from memdash.probes.go.heap_counts import HeapCounts, never_less
from memdash.probes.go.heap_profile import HeapProfileReader
from memdash.probes.go.memstats import mem_stats
from memdash.probes.go.objects import ObjectReader
from memdash.probes.go.program import Program
from memdash.probes.go.tasks import TaskReader
from memdash.probes.slices import Done, Slices, counted_over
from memdash.units import ratio

__all__ = ["ArenasProbe", "GoroutineProbe", "HeapProfileProbe", "MemStatsProbe", "ObjectProbe", "why_no_profile"]

_FIRST_SLICES_S, _SLICE_S = (0.3,), 0.1
_LONG_S = 1.0
_UNSWEPT = "with garbage that has not been swept yet"
_TORN = "the heap changed while it was read"
_LINK_IT = "import net/http/pprof, or write a heap profile with runtime/pprof, to link it into the program"


class MemStatsProbe:
    """MemStats and the collector's state, of one look: 0.2 ms."""

    name = "go.memstats"
    capabilities = frozenset({Capability.MEMSTATS, Capability.GC})
    cadence_s = 0.0

    def __init__(self, program: Program, reader: CounterReader) -> None:
        self._program = program
        self._reader = reader
        self._before: HeapCounts | None = None
        self._last_cycle: tuple[int, Cycle] | None = None

    def read(self) -> Reading:
        """Look once. Raises BadRead, AccessDenied, TargetExited."""
        counters = self._without_dips(self._reader.read())
        stats = mem_stats(counters, self._program.layout)
        gc = self._with_cycle(gc_stats(counters, stats.NextGC), counters.mstats["numgc"])
        return Reading(Source.MEMORY, (stats, gc), (_TORN,) if counters.torn_bytes else ())

    def _without_dips(self, counters: Counters) -> Counters:
        """Keep what only grows from falling below the look before; one in a bad moment is no measure for the next."""
        shown = counters
        if self._before is not None:
            shown = replace(counters, heap=never_less(counters.heap, self._before))
        if not counters.torn_bytes:
            self._before = counters.heap
        return shown

    def _with_cycle(self, gc: GcStats, cycles: int) -> GcStats:
        """While a collection runs, the times of the one before it are overwritten: remember them."""
        if isinstance(gc.last_cycle, Cycle):
            self._last_cycle = (cycles, gc.last_cycle)
        elif self._last_cycle is not None and self._last_cycle[0] == cycles:
            return replace(gc, last_cycle=self._last_cycle[1])
        return gc

    def close(self) -> None:
        """Give the program back. May be called twice."""
        self._program.close()


class HeapProfileProbe:
    """The allocation sites that Go's own profiler knows."""

    name = "go.heap_profile"
    capabilities = frozenset({Capability.SITES})
    cadence_s = 2.0

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused, and what reading memory raises."""
        self._program = program
        self._reader = HeapProfileReader(program)

    def read(self) -> Reading:
        """Read what changed since the last time. Raises BadRead, AccessDenied, TargetExited."""
        return Reading(Source.MEMORY, (self._reader.read(),))

    def close(self) -> None:
        """Give the program back. May be called twice."""
        self._program.close()


class GoroutineProbe:
    """All goroutines, by creator, state and stack: 100 000 at once, more of them in slices of 0.1 s of CPU time.

    The first slice is a large one, since everything is new then.
    """

    name = "go.goroutines"
    capabilities = frozenset({Capability.TASKS})
    cadence_s = 1.0

    def __init__(
        self, program: Program, *, with_ids: bool = False, cpu_s: Callable[[], float] = time.thread_time
    ) -> None:
        """Raises LayoutRefused, and what reading memory raises."""
        self._program = program
        reader = TaskReader(program)
        self._census = reader.census_of_each if with_ids else reader.census
        self._slices = Slices[float, Tasks](_FIRST_SLICES_S, _SLICE_S, cpu_s)

    def read(self) -> Reading:
        """Count them, or some of very many. Raises BadRead, AccessDenied, TargetExited."""
        counted = self._slices.go_on(self._census)
        if not isinstance(counted, Done):
            return Reading(Source.MEMORY, (), pending=f"goroutines are being counted: {ratio(counted)} so far")
        self._program.elf.rest()  # 1.5 MiB of a program of 10 MB, most of them wanted once, for a name
        return Reading(Source.MEMORY, (counted.result,), counted_over(self._slices.took_s, _LONG_S))

    def close(self) -> None:
        """Give the program back. May be called twice."""
        self._program.close()


class ObjectProbe:
    """The objects on the heap, by size class and type."""

    name = "go.objects"
    capabilities = frozenset({Capability.OBJECTS})
    cadence_s = 2.0

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused, and what reading memory raises."""
        self._program = program
        self._reader = ObjectReader(program)

    def read(self) -> Reading:
        """Count them. Raises BadRead, AccessDenied, TargetExited."""
        return Reading(Source.MEMORY, (self._reader.read(),), (_UNSWEPT,))

    def close(self) -> None:
        """Give the program back. May be called twice."""
        self._program.close()


class ArenasProbe:
    """How much of the heap's address space is in RAM: 10 ms for each GiB of it."""

    name = "go.arenas"
    capabilities = frozenset({Capability.ARENAS})
    cadence_s = 10.0

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused, and what reading memory raises."""
        self._program = program
        self._counter = ArenaCounter(program.memory.pid)
        read_arenas(program)

    def read(self) -> Reading:
        """Count its pages. Raises BadRead, AccessDenied, TargetExited, UnsupportedRuntime."""
        return Reading(Source.PROC, (self._counter.count(read_arenas(self._program)),))

    def close(self) -> None:
        """Give the program back. May be called twice."""
        self._counter.close()
        self._program.close()


def why_no_profile(program: Program) -> Missing | None:
    """Why there is no heap profile to read; None when there is one. Raises what reading memory raises."""
    at = program.addresses
    if not at.keys() >= {"mbuckets", "mProfCycle", "MemProfileRate"}:
        return Missing(
            "the variables of Go's heap profiler could not be located in this stripped program",
            "a build with its symbol table (without -ldflags=-s) can be read",
        )
    rate = program.memory.i64(at["MemProfileRate"])
    if rate > 0:
        return None
    is_linked = "disableMemoryProfiling" in at and not program.memory.read(at["disableMemoryProfiling"], 1)[0]
    if is_linked:
        return Missing(
            f"the program has switched Go's heap profiler off (runtime.MemProfileRate is {rate})",
            "leave runtime.MemProfileRate at its default, or start without GODEBUG=memprofilerate=0",
        )
    return Missing(
        "this program does not link Go's heap profiler (nothing in it calls runtime.MemProfile)",
        _LINK_IT,
    )
