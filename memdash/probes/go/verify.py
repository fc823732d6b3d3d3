"""What must be true of the runtime's memory if we read it right, whatever the program does.

Over 67 kinds of live builds none failed; with the layout of another minor some did wherever a number would have been
wrong.
"""

from __future__ import annotations

from typing import NamedTuple

from memdash.model.capability import Capability
from memdash.probes.go.buckets import BucketTable
from memdash.probes.go.caches import Caches
from memdash.probes.go.counters import PAUSES, CounterReader, Counters
from memdash.probes.go.detect import read_string
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

_ALL = frozenset({Capability.MEMSTATS, Capability.GC, Capability.SITES})
_STATS = frozenset({Capability.MEMSTATS, Capability.GC})
_SITES = frozenset({Capability.SITES})
_NOTHING: frozenset[Capability] = frozenset()


class _Look(NamedTuple):
    program: Program
    counters: Counters


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
    program = look.program
    if not {"allglen", "allgptr"} <= program.addresses.keys():
        return ""
    memory = program.memory
    count = min(memory.u64(program.addresses["allglen"]), _LOOKED_AT)
    pointers = memory.words(memory.u64(program.addresses["allgptr"]), count)
    at = program.offset("g", "atomicstatus")
    content = memory.plan([(g + at, 4) for g in pointers]).read()
    scan = program.constant("_Gscan")
    known = {program.layout.constants[name] for name in _STATES.split() if name in program.layout.constants}
    found = {status & ~scan for status in content.cast("I")}
    return "" if count and found <= known else f"status {max(found, default=0)}"


def _spans(look: _Look) -> str:
    program = look.program
    memory = program.memory
    pointers, length = memory.words(program.field("mheap_", "mheap", "allspans"), 2)
    spans = memory.words(pointers, min(length, _LOOKED_AT))
    at = program.offset("mspan", "startAddr")
    starts = memory.plan([(span + at, 8) for span in spans]).read().cast("Q")
    wrong = [start for start in starts if start % _PAGE_BYTES]
    return f"{wrong[0]:#x}" if wrong else ""


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
    "the heap in use is whole pages": (_STATS, _whole_pages),
    "GOMAXPROCS is possible": (_STATS, _gomaxprocs),
    "every P has its number": (_STATS, _p_numbers),
    "the two counts of collections agree": (_NOTHING, _cycles),
    "the collector's share of CPU is a share": (_STATS, _cpu_fraction),
    "the pauses add up": (_STATS, _pauses),
    "live bytes do not exceed HeapAlloc": (_STATS, _heap_alloc),
    "goroutines are in known states": (_NOTHING, _goroutines),
    "spans begin at pages": (_STATS, _spans),
    "spans and caches are whole structs": (_STATS, _whole_structs),
    "cached spans are of their class": (_STATS, _span_classes),
    "profile records hash as they say": (_SITES, _buckets),
    "the program states the version it was built with": (_ALL, _build_version),
}
