"""What must be true of the runtime's memory if we read it right, whatever the program does.

Over 67 kinds of live builds none failed; with the layout of another minor some did wherever a number would have been
wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from memdash.errors import BadRead
from memdash.model.capability import Capability
from memdash.probes.go.arenas import read_arenas
from memdash.probes.go.buckets import BucketTable
from memdash.probes.go.caches import Caches
from memdash.probes.go.counters import PAUSES, CounterReader, Counters
from memdash.probes.go.detect import read_string
from memdash.probes.go.fields import Fields
from memdash.probes.go.goroutine import Goroutine, GoroutineRecord
from memdash.probes.go.memstats import mem_stats
from memdash.probes.go.program import Program
from memdash.probes.go.version import parse_version
from memdash.probes.invariants import Check, Invariants, check_all

__all__ = ["MODIFIED", "verify"]

MODIFIED = "the program may have been built with a modified Go; the system view still works"
"""What to say when an invariant does not hold."""

_PAGE_BYTES = 8192
_MOST_PS = 4096
_LOOKED_AT = 256
"""So many goroutines, spans and buckets are looked at, of all there are."""

_STATES = "_Gidle _Grunnable _Grunning _Gsyscall _Gwaiting _Gdead _Gcopystack _Gpreempted _Gleaked _Gdeadextra"

_STATS = frozenset({Capability.MEMSTATS, Capability.GC})
_SITES = frozenset({Capability.SITES})
_TASKS = frozenset({Capability.TASKS})
_OBJECTS = frozenset({Capability.OBJECTS})
_ARENAS = frozenset({Capability.ARENAS})
_ALL = _STATS | _SITES | _TASKS | _OBJECTS | _ARENAS
_NOTHING: frozenset[Capability] = frozenset()


@dataclass(frozen=True)
class _Look:
    """A program, and what one look at its counters brought."""

    program: Program
    counters: Counters

    @cached_property
    def goroutines(self) -> list[Goroutine]:
        """The first ones; none when their list was not located. Raises BadRead when the program has none."""
        program = self.program
        if not {"allglen", "allgptr"} <= program.addresses.keys():
            return []
        memory, record = program.memory, GoroutineRecord(program)
        count = min(memory.u64(program.addresses["allglen"]), _LOOKED_AT)
        pointers = memory.words(memory.u64(program.addresses["allgptr"]), count)
        content = memory.plan([(g, record.size) for g in pointers]).read()
        if not count:
            raise BadRead("there are none")
        return record.unpacked(record.packed(content, record.size)).each()


def verify(program: Program, reader: CounterReader) -> tuple[Check, ...]:
    """Check every invariant. Raises AccessDenied, TargetExited; a failed check is a result, not an error."""
    return check_all(_TESTS, lambda: _Look(program, reader.read()))


def _equal(one: int, other: int) -> str:
    return "" if one == other else f"{one} and {other}"


def _heap_in_use(look: _Look) -> str:
    return _equal(look.counters.heap.in_heap, look.counters.controller["heapInUse"])


def _released(look: _Look) -> str:
    return _equal(look.counters.heap.released, look.counters.controller["heapReleased"])


def _committed(look: _Look) -> str:
    heap, gc = look.counters.heap, look.counters.controller
    others = heap.in_stacks + heap.work_bufs + heap.ptr_scalar_bits
    return _equal(heap.committed - others, gc["heapInUse"] + gc["heapFree"])


def _arenas(look: _Look) -> str:
    """All of the heap's address space is in one of these states."""
    heap, gc = look.counters.heap, look.counters.controller
    spans = gc["heapInUse"] + gc["heapFree"] + gc["heapReleased"]
    told = spans + heap.in_stacks + heap.work_bufs + heap.ptr_scalar_bits
    return _equal(sum(end - start for start, end in read_arenas(look.program)), told)


def _whole_pages(look: _Look) -> str:
    in_use = look.counters.controller["heapInUse"]
    return "" if in_use % _PAGE_BYTES == 0 else f"{in_use} bytes"


def _gomaxprocs(look: _Look) -> str:
    return "" if 1 <= look.counters.gomaxprocs <= _MOST_PS else str(look.counters.gomaxprocs)


def _p_numbers(look: _Look) -> str:
    program = look.program
    memory = program.memory
    ps = memory.words(memory.u64(program.addresses["allp"]), look.counters.gomaxprocs)
    at = program.offset("p", "id")
    wrong = [i for i, p in enumerate(ps) if memory.u32(p + at) != i]
    return f"P {wrong[0]} says otherwise" if wrong else ""


def _cycles(look: _Look) -> str:
    if not look.counters.work:
        return ""
    ahead = look.counters.work["cycles"] - look.counters.mstats["numgc"]
    return "" if ahead in (0, 1) else f"{look.counters.work['cycles']} and {look.counters.mstats['numgc']}"


def _cpu_fraction(look: _Look) -> str:
    return "" if 0 <= look.counters.gc_cpu_fraction <= 1 else str(look.counters.gc_cpu_fraction)


def _pauses(look: _Look) -> str:
    stats = look.counters.mstats
    if stats["numgc"] > PAUSES:
        return ""
    return _equal(sum(look.counters.pause_ns), stats["pause_total_ns"])


def _heap_alloc(look: _Look) -> str:
    gc = look.counters.controller
    alloc = mem_stats(look.counters, look.program.layout).HeapAlloc
    live = gc["totalAlloc"] - gc["totalFree"]
    return "" if isinstance(alloc, int) and 0 <= live <= alloc else f"{live} and {alloc}"


def _goroutines(look: _Look) -> str:
    constants = look.program.layout.constants
    known = {constants[name] for name in _STATES.split() if name in constants}
    found = {g.status & ~constants["_Gscan"] for g in look.goroutines}
    return "" if found <= known else f"status {max(found)}"


def _goroutine_numbers(look: _Look) -> str:
    """Those that ended keep theirs until they are used again."""
    numbers = [g.number for g in look.goroutines if g.number]
    return _equal(len(set(numbers)), len(numbers))


def _wait_reasons(look: _Look) -> str:
    waiting, reasons = look.program.constant("_Gwaiting"), len(look.program.layout.wait_reasons)
    wrong = [g.reason for g in look.goroutines if g.status == waiting and g.reason >= reasons]
    return f"reason {wrong[0]} of {reasons}" if wrong else ""


def _stack_pointers(look: _Look) -> str:
    waiting, module = look.program.constant("_Gwaiting"), look.program.module
    for g in look.goroutines:
        fits = g.stack_start < g.sp < g.stack_end and module.text <= g.pc < module.text_end
        if g.status == waiting and not fits:
            return f"{g.sp:#x} of {g.stack_start:#x} to {g.stack_end:#x}, at {g.pc:#x}"
    return ""


def _first_spans(program: Program) -> tuple[int, ...]:
    """Where they are."""
    pointers, length = program.memory.words(program.field("mheap_", "mheap", "allspans"), 2)
    return program.memory.words(pointers, min(length, _LOOKED_AT))


def _spans(look: _Look) -> str:
    program = look.program
    at = program.offset("mspan", "startAddr")
    starts = program.memory.plan([(span + at, 8) for span in _first_spans(program)]).read().cast("Q")
    wrong = [start for start in starts if start % _PAGE_BYTES]
    return f"{wrong[0]:#x}" if wrong else ""


def _objects_in_spans(look: _Look) -> str:
    """A span's objects are of its class's size, and no more than fit."""
    program, sizes = look.program, look.program.layout.size_classes
    fields = Fields.of(program, "mspan", ("npages", "elemsize"), allocCount="H", spanclass="B", state="B")
    content = program.memory.plan([(span + fields.start, fields.size) for span in _first_spans(program)]).read()
    in_use = program.constant("mSpanInUse")
    for span in fields.each(content):
        size_class, room = span["spanclass"] >> 1, span["npages"] * _PAGE_BYTES
        size = sizes[size_class] if 0 < size_class < len(sizes) else room
        if span["state"] == in_use and (span["elemsize"] != size or span["allocCount"] * size > room):
            return f"{span['allocCount']} of {span['elemsize']} bytes in {room}"
    return ""


def _whole_structs(look: _Look) -> str:
    """The runtime allocates its spans and caches one by one, and counts their bytes."""
    counters, size = look.counters, look.program.size
    for name, used, reserved in (
        ("mspan", counters.spans_in_use_bytes, counters.mstats["mspan_sys"]),
        ("mcache", counters.caches_in_use_bytes, counters.mstats["mcache_sys"]),
    ):
        if used % size(name) or not 0 < used <= reserved:
            return f"{used} of {reserved} bytes for {name}s of {size(name)}"
    return ""


def _span_classes(look: _Look) -> str:
    """A few may have been put to another use since their pointers were read."""
    program = look.program
    caches = Caches(program)
    _, pointers = caches.held(program.memory.plan(caches.parts).read(), 0)
    cached = list(caches.spans(pointers))
    at = program.offset("mspan", "spanclass")
    found = program.memory.plan([(span + at, 1) for _, span in cached]).read()
    right = sum(its_class == span_class for its_class, (span_class, _) in zip(found, cached, strict=False))
    return "" if 2 * right >= len(cached) else f"{right} of {len(cached)}"


def _buckets(look: _Look) -> str:
    if "mbuckets" not in look.program.addresses:
        return ""
    for _ in BucketTable(look.program).read_new(_LOOKED_AT):
        pass  # each is checked as it is read
    return ""


def _build_version(look: _Look) -> str:
    program = look.program
    if "buildVersion" not in program.addresses:
        return ""
    stated = read_string(program.memory, program.addresses["buildVersion"])
    version = parse_version(stated)
    return "" if version and version.text == program.version.text else f"it says {stated!r}"


_TESTS: Invariants[_Look] = {
    "the two accounts of the heap in use agree": (_STATS, _heap_in_use),
    "the two accounts of released memory agree": (_STATS, _released),
    "committed memory adds up": (_STATS, _committed),
    "arenas hold all of the heap": (_ARENAS, _arenas),
    "the heap in use is whole pages": (_STATS, _whole_pages),
    "GOMAXPROCS is possible": (_STATS, _gomaxprocs),
    "every P has its number": (_STATS, _p_numbers),
    "the two counts of collections agree": (_NOTHING, _cycles),
    "the collector's share of CPU is a share": (_STATS, _cpu_fraction),
    "the pauses add up": (_STATS, _pauses),
    "live bytes do not exceed HeapAlloc": (_STATS, _heap_alloc),
    "goroutines are in known states": (_TASKS, _goroutines),
    "every goroutine has its number": (_TASKS, _goroutine_numbers),
    "goroutines wait for known reasons": (_TASKS, _wait_reasons),
    "goroutines wait on their own stacks": (_TASKS, _stack_pointers),
    "spans begin at pages": (_STATS | _OBJECTS, _spans),
    "spans hold objects of their size": (_OBJECTS, _objects_in_spans),
    "spans and caches are whole structs": (_STATS, _whole_structs),
    "cached spans are of their class": (_STATS, _span_classes),
    "profile records hash as they say": (_SITES, _buckets),
    "the program states the version it was built with": (_ALL, _build_version),
}
