"""What must be true of the interpreter's memory if we read it right, whatever the program does."""

from __future__ import annotations

import struct
import time
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from memdash.model.capability import Capability
from memdash.model.missing import Maybe, Missing
from memdash.probes.cpython.arenas import Arena, ArenaTable, read_arenas
from memdash.probes.cpython.collector import Collector
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.pymalloc import ALIGNMENT_BYTES, SIZE_CLASSES
from memdash.probes.cpython.threads import ThreadWatch
from memdash.probes.cpython.types import Types
from memdash.probes.invariants import Check, Invariants, check_all
from memdash.process.scatter import Scatter

__all__ = ["MODIFIED", "verify"]

MODIFIED = "the interpreter may have been modified; the system view still works"
"""What to say when an invariant does not hold."""

_LOOKED_AT = 256
"""So many pools are looked at, of all there are."""

_POOL = struct.Struct("<I28xII")
"""struct pool_header: the count of blocks, arenaindex, szidx."""

_POOL_HEADER_BYTES = 48
_MOST_OBJECTS = 1 << 48
_CLOCK_SLACK_NS = 10**9

_ALL = frozenset({Capability.MEMSTATS, Capability.GC, Capability.OBJECTS})
_GC = frozenset({Capability.GC})
_HEAP = frozenset({Capability.MEMSTATS, Capability.OBJECTS})
_OBJECTS = frozenset({Capability.OBJECTS})
_TASKS = frozenset({Capability.TASKS})


class _Look(NamedTuple):
    interpreter: Interpreter
    collector: Collector
    table: ArenaTable | None
    threads: Maybe[ThreadWatch]


def verify(
    interpreter: Interpreter, collector: Collector, table: ArenaTable | None, threads: Maybe[ThreadWatch]
) -> tuple[Check, ...]:
    """Check every invariant. Raises AccessDenied, TargetExited; a failed check is a result, not an error."""
    return check_all(_TESTS, lambda: _Look(interpreter, collector, table, threads))


def _member(interpreter: Interpreter, name: str) -> int:
    return interpreter.memory.u64(interpreter.main + interpreter.layout.offset("PyInterpreterState", name))


def _number(look: _Look) -> str:
    number = _member(look.interpreter, "id")
    return f"it says {number}" if number else ""


def _is_last(look: _Look) -> str:
    following = _member(look.interpreter, "next")
    return f"{following:#x} follows" if following else ""


def _threads(look: _Look) -> str:
    interpreter = look.interpreter
    thread = _member(interpreter, "threads.head")
    owner = interpreter.memory.u64(thread + interpreter.layout.offset("PyThreadState", "interp"))
    return "" if owner == interpreter.main else f"one belongs to {owner:#x}"


def _generations(look: _Look) -> str:
    return "" if look.collector.generations_close() else "one does not"


def _switches(look: _Look) -> str:
    interpreter = look.interpreter
    memory, layout = interpreter.memory, interpreter.layout
    names = ("enabled", "collecting")
    values = [memory.u32(interpreter.gc + layout.offset("_gc_runtime_state", name)) for name in names]
    return "" if max(values) <= 1 else f"{values[0]} and {values[1]}"


def _counts(look: _Look) -> str:
    for generation in look.collector.read().generations:
        counts = (generation.collections, generation.collected, generation.uncollectable)
        if not all(0 <= count < _MOST_OBJECTS for count in counts):
            return f"generation {generation.name} has {counts}"
        dues = (generation.count, generation.threshold)
        if not all(isinstance(due, Missing) or due >= 0 for due in dues):
            return f"generation {generation.name} is due at {dues}"
    return ""


def _pauses(look: _Look) -> str:
    pauses = look.collector.read().pauses
    if isinstance(pauses, Missing) or not pauses.ended:
        return ""
    ahead_ns = max(pauses.ended) - time.monotonic_ns()
    if ahead_ns > _CLOCK_SLACK_NS:
        return f"one ends in {ahead_ns} ns"
    # The total is a sum of floats, and may have been raised between the two records being read.
    return "" if max(pauses.ended.values()) <= pauses.total_ns + _CLOCK_SLACK_NS else "one is longer than all together"


def _arenas(look: _Look) -> list[Arena]:
    table = look.table
    if table is None or table.arenas_at is None or table.length_at is None:
        return []
    return read_arenas(look.interpreter, table.arenas_at, table.length_at)


def _arena_count(look: _Look) -> str:
    if look.table is None or look.table.in_use_at is None:
        return ""
    counted, found = look.interpreter.memory.u64(look.table.in_use_at), len(_arenas(look))
    return "" if counted == found else f"{counted} and {found}"


def _pools(look: _Look) -> str:
    """Pools of every arena, evenly spread. One whose arena has been given back meanwhile says nothing."""
    interpreter = look.interpreter
    pool_bytes = 1 << interpreter.layout.constants["POOL_BITS"]
    arena_of = dict(_spread(_arenas(look), pool_bytes))
    odd: dict[int, str] = {}
    read = 0
    for pools, content in Scatter(interpreter.memory, _POOL.size).read(array("Q", arena_of)):
        read += len(pools)
        for pool, header in zip(pools, _POOL.iter_unpack(content), strict=True):
            if found := _odd(pool, arena_of[pool].index, pool_bytes, *header):
                odd[pool] = found
    stayed = {(arena.index, arena.address) for arena in _arenas(look)}
    told = [why for pool, why in odd.items() if (arena_of[pool].index, arena_of[pool].address) in stayed]
    if told:
        return told[0]
    return f"only {read} of {len(arena_of)} could be read" if 2 * read < len(arena_of) else ""


def _spread(arenas: Sequence[Arena], pool_bytes: int) -> Iterator[tuple[int, Arena]]:
    """Every so manieth pool, and the arena that it is in."""
    pools_of = [arena.pools(pool_bytes) for arena in arenas]
    step, first = -(-sum(map(len, pools_of)) // _LOOKED_AT) or 1, 0
    for arena, pools in zip(arenas, pools_of, strict=True):
        yield from ((pool, arena) for pool in pools[first::step])
        first = (first - len(pools)) % step


def _odd(pool: int, arena: int, pool_bytes: int, count: int, index: int, size_class: int) -> str:
    """What is wrong with a pool of this arena; empty if nothing is."""
    if index != arena:
        return f"the one at {pool:#x} of arena {arena} says {index}"
    most = (pool_bytes - _POOL_HEADER_BYTES) // (ALIGNMENT_BYTES * (size_class + 1))
    if count and (size_class >= SIZE_CLASSES or count > most):
        return f"{count} blocks of size class {size_class} do not fit the one at {pool:#x}"
    return ""


def _types(look: _Look) -> str:
    return Types(look.interpreter).disproved()


def _stacks(look: _Look) -> str:
    """One that runs may move whenever it is looked at, all of them do not; an idle one has no frames."""
    if isinstance(look.threads, Missing):
        return look.threads.why
    found = look.threads.outermost()
    read = [frame for frame in found if not isinstance(frame, Missing)]
    if found and not read:
        return f"none of {len(found)} does"
    nameless = [frame for frame in read if not frame.function or not frame.file or frame.line < 0]
    return f"there is {nameless[0]}" if nameless else ""


def _lock(look: _Look) -> str:
    if isinstance(look.threads, Missing):
        return look.threads.why
    strangers = look.threads.unknown_holders()
    return f"{min(strangers):#x} does" if strangers else ""


_TESTS: Invariants[_Look] = {
    "the main interpreter is number 0": (_ALL, _number),
    "the main interpreter is the last in its list": (_ALL, _is_last),
    "the interpreter's threads belong to it": (_ALL, _threads),
    "every generation is a list that closes on itself": (_GC, _generations),
    "the collector's switches are on or off": (_GC, _switches),
    "the collector's counts are possible": (_GC, _counts),
    "the collector's pauses are over and add up": (_GC, _pauses),
    "there are as many arenas as the allocator counts": (_HEAP, _arena_count),
    "every pool knows its arena and holds no more than fits": (_HEAP, _pools),
    "type is its own type, and dict and str are where they say": (_OBJECTS, _types),
    "the threads' stacks lead to functions with names": (_TASKS, _stacks),
    "nobody but a thread of its own holds the GIL": (_TASKS, _lock),
}
