"""What each step on the way to RSS is called, what it is, and what would make it smaller: per runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from memdash.model.residence import StepKind
from memdash.model.target import Runtime
from memdash.tables.table import Tone

__all__ = ["StepWords", "step_words"]


class StepWords(NamedTuple):
    """``what`` is a clause beside the figure, ``lowers`` a sentence in full; the tone says how firmly it is held."""

    label: str
    what: str
    lowers: str
    tone: Tone = Tone.PLAIN


_USED, _SPARE, _OTHER, _TAKEN = Tone.GOOD, Tone.WARNING, Tone.PLAIN, Tone.FAINT

_ANY: Mapping[StepKind, StepWords] = {
    StepKind.LIVE: StepWords(
        "live heap",
        "objects that the last collection found reachable",
        "Hold less: the allocation sites say who asked for it.",
        _USED,
    ),
    StepKind.HEAP: StepWords(
        "heap objects",
        "all that is allocated, live or not",
        "Hold less: the allocation sites say who asked for it.",
        _USED,
    ),
    StepKind.RECENT: StepWords(
        "new since last GC",
        "allocated since then, dead or alive; the next collection tells",
        "Collect more often: a smaller GOGC, or GOMEMLIMIT. Allocate less: the sites show it under alloc (i).",
        _SPARE,
    ),
    StepKind.FREE_SLOTS: StepWords(
        "free in spans",
        "room left in spans, for objects of the same size only",
        "This is fragmentation. It shrinks when whole spans become empty.",
        _SPARE,
    ),
    StepKind.IDLE: StepWords(
        "idle, not returned",
        "spans that hold nothing, kept for the next growth",
        "The runtime returns them slowly; GOMEMLIMIT hastens it, debug.FreeOSMemory returns all at once.",
        _SPARE,
    ),
    StepKind.STACKS: StepWords(
        "goroutine stacks",
        "stacks of goroutines, and those the runtime made for threads",
        "Run fewer goroutines: their pane says who creates them. A collection shrinks stacks that were deep once.",
    ),
    StepKind.METADATA: StepWords(
        "runtime metadata",
        "what the runtime keeps about its heap, and the collector's data",
        "It grows with the heap at its largest and is not given back.",
    ),
    StepKind.MALLOC_USED: StepWords(
        "malloc, in use",
        "handed out by the C library: large objects, libraries' memory",
        "Hold fewer large objects and buffers.",
        _USED,
    ),
    StepKind.MALLOC_FREE: StepWords(
        "malloc, free",
        "kept by the C library for reuse",
        "Trim (ctrl+t) gives back what can be. MALLOC_ARENA_MAX=2 keeps many threads from holding an arena each.",
        _SPARE,
    ),
    StepKind.NOT_RESIDENT: StepWords(
        "not in RAM",
        "counted above but without a page: never touched, or in swap",
        "Nothing to do: it costs no memory now, and will once it is written to.",
        _TAKEN,
    ),
    StepKind.MALLOC: StepWords(
        "C heap (malloc)",
        "the C library's heap and its arenas for threads",
        "C code holds it, or malloc keeps it for reuse: malloc_trim gives some back, MALLOC_ARENA_MAX=2 limits arenas.",
    ),
    StepKind.ANONYMOUS: StepWords(
        "anonymous mappings",
        "memory without a file: mmap, large malloc blocks, JIT code",
        "The table of mappings shows the largest of them with their addresses.",
    ),
    StepKind.THREAD_STACKS: StepWords(
        "thread stacks",
        "stacks of the system's threads, as far as ever used",
        "Run fewer threads, or give them smaller stacks.",
    ),
    StepKind.PROGRAM: StepWords(
        "program file",
        "the executable: code as far as it ran, constants, variables",
        "The kernel drops unchanged pages by itself when memory is short; other processes share them.",
    ),
    StepKind.LIBRARIES: StepWords(
        "shared libraries",
        "code and variables of libraries",
        "The kernel drops unchanged pages by itself when memory is short; other processes share them.",
    ),
    StepKind.FILES: StepWords(
        "mapped files",
        "files that the program has mapped: databases, caches, fonts",
        "The kernel drops unchanged pages by itself when memory is short; RSS counts them all the same.",
    ),
    StepKind.SHARED: StepWords(
        "shared memory",
        "shared with other processes: shm, memfd, shared mappings",
        "It stays until all who share it let it go; each of them counts it in its RSS.",
    ),
    StepKind.KERNEL: StepWords("kernel pages", "what the kernel lends to every process (vdso)", "It is always there."),
    StepKind.UNEXPLAINED: StepWords(
        "unexplained",
        "the kernel's own count of RSS differs from that of the pages",
        "Pages came or went while they were counted, or a CPU has not yet added its part to the kernel's count.",
        Tone.INFO,
    ),
}

_OF: Mapping[Runtime, Mapping[StepKind, StepWords]] = {
    Runtime.CPYTHON: {
        StepKind.HEAP: StepWords(
            "small objects",
            "objects of up to 512 bytes",
            "Hold fewer objects: the pane of types, or of sites once allocations are sampled (P), says which.",
            _USED,
        ),
        StepKind.MALLOC_USED: StepWords(
            "malloc, in use",
            "handed out by the C library: large objects, libraries' memory",
            "Hold fewer large objects and buffers: the sites, once allocations are sampled (P), say which lines do.",
            _USED,
        ),
        StepKind.FREE_SLOTS: StepWords(
            "free in pools",
            "room left in pools, for objects of the same size only",
            "This is fragmentation. It shrinks when whole pools become empty.",
            _SPARE,
        ),
        StepKind.IDLE: StepWords(
            "idle pools",
            "pools of the arenas that hold nothing",
            "An arena goes back to the system only when all of its pools are empty: one object is enough to keep it.",
            _SPARE,
        ),
    },
}

_GIVEN_BACK = StepWords(
    "still in RAM",
    "given back, and not yet taken by the kernel; or in a huge page",
    "The kernel takes it when memory is short.",
    _SPARE,
)


def step_words(kind: StepKind, runtime: Runtime, size_bytes: int) -> StepWords:
    """The words for a step of so many bytes."""
    if kind is StepKind.NOT_RESIDENT and size_bytes > 0:
        return _GIVEN_BACK
    return _OF.get(runtime, {}).get(kind, _ANY[kind])
