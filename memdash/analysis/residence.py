"""Where RSS comes from: the kernel's pages and the runtime's own account of its memory, brought together.

The runtime counts what it took from the system and what it uses it for; the kernel counts which pages are in RAM, and
what is mapped there. What the runtime keeps outside its arenas counts as far as it is in RAM. Which of its objects and
free spans have no page nobody tells, so these are subtracted in one step: the steps add up to RSS exactly.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from memdash.model.gc import GcStats
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing, known
from memdash.model.residence import Arenas, MappingGroup, MappingKind, Residence, Step, StepKind
from memdash.model.sample import Sample
from memdash.model.target import Runtime

__all__ = ["residence_of"]

_GO_NAMES = "Go: "
"""From 1.25 on Go names its memory where the kernel takes names."""

_MAPPED: Mapping[MappingKind, StepKind] = {
    MappingKind.MALLOC: StepKind.MALLOC,
    MappingKind.ANONYMOUS: StepKind.ANONYMOUS,
    MappingKind.STACK: StepKind.THREAD_STACKS,
    MappingKind.PROGRAM: StepKind.PROGRAM,
    MappingKind.LIBRARY: StepKind.LIBRARIES,
    MappingKind.FILE: StepKind.FILES,
    MappingKind.SHARED: StepKind.SHARED,
    MappingKind.KERNEL: StepKind.KERNEL,
}
"""What the kernel alone tells, in the order of the steps; the runtime's heap is anonymous memory to it."""

_Counts = dict[StepKind, int]


@dataclass(frozen=True, slots=True)
class _Account:
    """What a runtime counts as its own: in its arenas, and outside them."""

    counts: _Counts
    outside_bytes: int

    @property
    def total_bytes(self) -> int:
        return sum(self.counts.values())

    def without(self, absent_bytes: int) -> _Counts:
        """The counts, less what of those outside the arenas is not in RAM: metadata, then stacks made for threads."""
        counts = dict(self.counts)
        for kind in (StepKind.METADATA, StepKind.STACKS):
            taken = min(absent_bytes, counts.get(kind, 0))
            if taken:
                counts[kind] -= taken
                absent_bytes -= taken
        return counts


@dataclass(frozen=True, slots=True)
class _Resident:
    """How much of an account is in RAM: in all, and how much of what it has outside the arenas is not."""

    total_bytes: int
    absent_bytes: int
    estimated: frozenset[StepKind]


def residence_of(sample: Sample, runtime: Runtime) -> Maybe[Residence]:
    """All steps of one moment. Missing when the mappings are; without a runtime's account they are the steps."""
    mappings = sample.mappings
    if isinstance(mappings, Missing):
        return mappings
    groups = _told_apart(mappings.groups, sample.arenas, runtime)
    arenas = _without_zeros(sample.arenas, groups)
    resident = dict.fromkeys(MappingKind, 0)
    for group in groups:
        resident[group.kind] += group.rss_bytes
    resident[MappingKind.ANONYMOUS] += resident.pop(MappingKind.RUNTIME)
    account = _account(sample, runtime)
    counts: _Counts = {}
    estimated: frozenset[StepKind] = frozenset()
    if not isinstance(account, Missing):
        pages = _resident_of(account, arenas, resident[MappingKind.ANONYMOUS], groups)
        resident[MappingKind.ANONYMOUS] -= pages.total_bytes
        counts = account.without(pages.absent_bytes)
        counts[StepKind.NOT_RESIDENT] = pages.total_bytes - sum(counts.values())
        estimated = pages.estimated
    _take_malloc(sample, resident, counts)
    counts |= {step: resident[kind] for kind, step in _MAPPED.items()}
    rss_bytes = known(mappings.rss_bytes, mappings.counted_bytes)
    counts[StepKind.UNEXPLAINED] = rss_bytes - sum(counts.values())
    return Residence(
        rss_bytes=rss_bytes,
        steps=tuple(Step(kind, counts[kind], kind in estimated) for kind in StepKind if counts.get(kind)),
        groups=groups,
        arenas=arenas,
        no_runtime=account if isinstance(account, Missing) and runtime is not Runtime.NATIVE else None,
    )


def _told_apart(groups: Sequence[MappingGroup], arenas: Maybe[Arenas], runtime: Runtime) -> tuple[MappingGroup, ...]:
    """The mappings that hold the runtime's arenas, whatever they were taken for by their form."""
    ranges = () if isinstance(arenas, Missing) else arenas.ranges
    starts = [start for start, _ in ranges]

    def is_runtimes(group: MappingGroup) -> bool:
        if runtime is Runtime.GO and group.name.startswith(_GO_NAMES):
            return True
        before = bisect_right(starts, group.end - 1) - 1
        return bool(group.end) and before >= 0 and ranges[before][1] > group.start

    return tuple(group._replace(kind=MappingKind.RUNTIME) if is_runtimes(group) else group for group in groups)


def _without_zeros(arenas: Maybe[Arenas], groups: Sequence[MappingGroup]) -> Maybe[Arenas]:
    """Memory that was only read is one page of zeros, which the kernel has in its map of pages and not in RSS.

    So no more can be resident than the mappings around the arenas have, and those that do not stand for themselves.
    """
    if isinstance(arenas, Missing):
        return arenas
    most = sum(group.rss_bytes for group in groups if _may_hold_arenas(group))
    return replace(arenas, resident_bytes=min(arenas.resident_bytes, most))


def _may_hold_arenas(group: MappingGroup) -> bool:
    is_rest = group.kind is MappingKind.ANONYMOUS and not group.name and not group.end
    return group.kind is MappingKind.RUNTIME or is_rest


def _resident_of(
    account: _Account, arenas: Maybe[Arenas], anonymous_bytes: int, groups: Sequence[MappingGroup]
) -> _Resident:
    """How much of what the runtime counts is in RAM, of so much anonymous memory; and which steps that leaves unsure.

    Memory outside the arenas bears no name on most kernels: it is taken to be the runtime's up to what that counts,
    but for mappings that are larger than all of it.
    """
    if isinstance(arenas, Missing):
        unsure = frozenset({StepKind.NOT_RESIDENT, StepKind.ANONYMOUS})
        return _Resident(min(account.total_bytes, anonymous_bytes), 0, unsure)
    in_arenas = min(arenas.resident_bytes, anonymous_bytes)
    left = anonymous_bytes - in_arenas
    named = sum(group.rss_bytes for group in groups if group.name.startswith(_GO_NAMES))
    outside = account.outside_bytes
    if named:
        taken = min(max(named - in_arenas, 0), left)
        return _Resident(in_arenas + taken, max(outside - taken, 0), frozenset())
    fitting = sum(
        group.rss_bytes for group in groups if group.kind is MappingKind.ANONYMOUS and group.rss_bytes <= outside
    )
    taken = min(outside, fitting, left)
    unsure = frozenset({StepKind.METADATA, StepKind.ANONYMOUS} if outside and left > taken else ())
    return _Resident(in_arenas + taken, outside - taken, unsure)


def _account(sample: Sample, runtime: Runtime) -> Maybe[_Account]:
    if isinstance(sample.memstats, Missing):
        return sample.memstats
    if runtime is Runtime.GO:
        return _of_go(sample.memstats, sample.gc, sample.arenas)
    if runtime is Runtime.CPYTHON:
        return _of_cpython(sample.memstats)
    return Missing("no runtime accounts for its memory")


def _of_go(stats: MemStats, gc: Maybe[GcStats], arenas: Maybe[Arenas]) -> Maybe[_Account]:
    """Sys without HeapReleased. Figures of one look may be torn by a few bytes, so none falls below 0."""
    numbers = _numbers(
        stats.HeapAlloc, stats.HeapInuse, stats.HeapIdle, stats.HeapReleased, stats.HeapSys, stats.StackInuse,
        stats.StackSys, stats.MSpanSys, stats.MCacheSys, stats.BuckHashSys, stats.GCSys, stats.OtherSys,
    )  # fmt: skip
    if isinstance(numbers, Missing):
        return numbers
    alloc, inuse, idle, released, heap_sys, stack_inuse, stack_sys, *metadata = numbers
    marked = gc if isinstance(gc, Missing) else gc.live_after_gc_bytes
    counts: _Counts
    if isinstance(marked, Missing):
        counts = {StepKind.HEAP: alloc}
    else:
        counts = {StepKind.LIVE: min(marked, alloc), StepKind.RECENT: max(alloc - marked, 0)}
    counts |= {
        StepKind.FREE_SLOTS: max(inuse - alloc, 0),
        StepKind.IDLE: max(idle - released, 0),
        StepKind.STACKS: stack_sys,
        StepKind.METADATA: sum(metadata),
    }
    size_bytes = heap_sys + stack_inuse if isinstance(arenas, Missing) else arenas.size_bytes
    work_bytes = max(size_bytes - heap_sys - stack_inuse, 0)  # the collector's work buffers are in the arenas
    return _Account(counts, max(sum(metadata) + stack_sys - stack_inuse - work_bytes, 0))


def _of_cpython(stats: MemStats) -> Maybe[_Account]:
    """The arenas of the allocator for small objects."""
    numbers = _numbers(stats.HeapSmall, stats.HeapInuse, stats.HeapIdle)
    if isinstance(numbers, Missing):
        return numbers
    small, pools, idle = numbers
    return _Account({StepKind.HEAP: small, StepKind.FREE_SLOTS: max(pools - small, 0), StepKind.IDLE: idle}, 0)


def _numbers(*values: Maybe[int]) -> Maybe[list[int]]:
    found = []
    for value in values:
        if isinstance(value, Missing):
            return value
        found.append(max(value, 0))
    return found


def _take_malloc(sample: Sample, resident: dict[MappingKind, int], counts: _Counts) -> None:
    """Where an agent tells what malloc holds, that comes in place of its mappings.

    What has a mapping of its own (mmap_threshold) looks to the kernel like any anonymous memory.
    """
    malloc = sample.malloc
    told = (
        malloc if isinstance(malloc, Missing) else _numbers(malloc.in_use_bytes, malloc.mapped_bytes, malloc.free_bytes)
    )
    if isinstance(told, Missing):
        return
    in_use, mapped, free = told
    mapped = min(mapped, in_use)
    in_heap = min(in_use - mapped + free, resident[MappingKind.MALLOC])
    on_its_own = min(mapped, resident[MappingKind.ANONYMOUS])
    resident[MappingKind.MALLOC] -= in_heap
    resident[MappingKind.ANONYMOUS] -= on_its_own
    counts |= {StepKind.MALLOC_USED: in_use, StepKind.MALLOC_FREE: free}
    counts[StepKind.NOT_RESIDENT] = counts.get(StepKind.NOT_RESIDENT, 0) + in_heap + on_its_own - in_use - free
