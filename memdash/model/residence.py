"""What the pages of a process are for: its mappings, what a runtime keeps in them, and both accounts in one.

``Mappings`` and ``Arenas`` are read; ``Residence`` is what they and the runtime's own counters make together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from memdash.model.missing import Maybe, Missing

__all__ = ["Arenas", "MappingGroup", "MappingKind", "Mappings", "Residence", "Step", "StepKind"]


class MappingKind(Enum):
    """What is mapped, as far as the kernel tells. The value is the word on screen and in the JSON document.

    MALLOC is the C library's heap and its arenas for threads; LIBRARY any file with code in it but the PROGRAM itself,
    with its own variables; KERNEL what the kernel lends to each process (vdso). RUNTIME holds objects of the target's
    runtime, wholly or in part, which its own account alone tells.
    """

    PROGRAM = "program"
    LIBRARY = "library"
    FILE = "file"
    SHARED = "shared memory"
    MALLOC = "malloc"
    STACK = "stack"
    ANONYMOUS = "anonymous"
    KERNEL = "kernel"
    RUNTIME = "runtime heap"


class MappingGroup(NamedTuple):
    """Mappings of one kind and name, in bytes; ``pieces`` is their number.

    ``name`` is a path or what the program calls the memory (untrusted text), or empty. One that has no name stands for
    itself if it is large, with its addresses ``start`` up to ``end``; both are 0 where there is no single one.
    ``private_bytes`` of the resident ones belong to this process alone; ``pss_bytes`` is its share of all.
    """

    kind: MappingKind
    name: str
    pieces: int
    size_bytes: int
    rss_bytes: int
    pss_bytes: int
    private_bytes: int
    anonymous_bytes: int
    swap_bytes: int
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Mappings:
    """The mappings that have any page in RAM or in swap, most resident bytes first.

    ``rss_bytes`` is the kernel's own count of resident bytes, taken just after theirs; ``total`` is the number of all
    mappings.
    """

    groups: tuple[MappingGroup, ...]
    rss_bytes: Maybe[int]
    total: int

    @property
    def counted_bytes(self) -> int:
        """All resident bytes added up."""
        return sum(group.rss_bytes for group in self.groups)


@dataclass(frozen=True, slots=True)
class Arenas:
    """The address space that a runtime's allocator took for objects, and how much of it is in RAM, and in swap.

    ``ranges`` are (start, end) addresses, ascending and without overlaps.
    """

    ranges: tuple[tuple[int, int], ...]
    resident_bytes: int
    swapped_bytes: int

    @property
    def size_bytes(self) -> int:
        """All of it, touched or not."""
        return sum(end - start for start, end in self.ranges)


class StepKind(Enum):
    """One step on the way to RSS. The value is its key in the JSON document.

    METADATA is what of it is in RAM, wherever that is known; of what stands before it NOT_RESIDENT is not.
    """

    LIVE = "live_heap"
    HEAP = "heap_objects"
    RECENT = "allocated_since_gc"
    FREE_SLOTS = "free_slots"
    IDLE = "idle"
    STACKS = "stacks"
    METADATA = "runtime_metadata"
    MALLOC_USED = "malloc_in_use"
    MALLOC_FREE = "malloc_free"
    NOT_RESIDENT = "not_resident"
    MALLOC = "malloc"
    THREAD_STACKS = "thread_stacks"
    ANONYMOUS = "anonymous_mappings"
    PROGRAM = "program_file"
    LIBRARIES = "shared_libraries"
    FILES = "mapped_files"
    SHARED = "shared_memory"
    KERNEL = "kernel_pages"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Step:
    """``size_bytes`` more, or less when negative. ``is_estimated`` says that it was told from another only roughly."""

    kind: StepKind
    size_bytes: int
    is_estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Residence:
    """Where RSS comes from: the steps, in order, add up to ``rss_bytes`` exactly.

    ``groups`` are the mappings behind it, most resident first; those that overlap the runtime's arenas say so.
    ``no_runtime`` says why the runtime's memory is not told apart, where it is not and might be.
    """

    rss_bytes: int
    steps: tuple[Step, ...]
    groups: tuple[MappingGroup, ...]
    arenas: Maybe[Arenas]
    no_runtime: Missing | None = None
