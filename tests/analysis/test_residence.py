"""The steps add up to RSS whatever is read, and each is what it says."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memdash.analysis.residence import residence_of
from memdash.model.malloc import Malloc
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing
from memdash.model.residence import Arenas, MappingGroup, MappingKind, Mappings, Residence, StepKind
from memdash.model.sample import Fact, Instant, Sample
from memdash.model.target import Runtime
from memdash.units import MIB
from tests.fakes import NOON_S, a_gc, a_sample, memstats
from tests.pages import GO_ARENAS, a_group, some_mappings

WHY = Missing("no")


def sample_of(*facts: Fact, **changes: object) -> Sample:
    return a_sample(Instant(NOON_S, 1.0), *facts, **changes)


def told(sample: Sample, runtime: Runtime = Runtime.GO) -> Residence:
    residence = residence_of(sample, runtime)
    assert isinstance(residence, Residence)
    assert sum(step.size_bytes for step in residence.steps) == residence.rss_bytes
    return residence


def sizes(residence: Residence) -> dict[StepKind, float]:
    return {step.kind: step.size_bytes / MIB for step in residence.steps}


def test_a_go_program() -> None:
    residence = told(sample_of(memstats(), a_gc(), some_mappings(), GO_ARENAS))
    assert sizes(residence) == {
        StepKind.LIVE: 320,
        StepKind.RECENT: 92,
        StepKind.FREE_SLOTS: 18,
        StepKind.IDLE: 129 - 44,
        StepKind.STACKS: 21,
        StepKind.METADATA: 24.125,  # of 28 MiB and more
        StepKind.NOT_RESIDENT: 455 - 320 - 92 - 18 - 85 - 21,  # of the arenas
        StepKind.MALLOC: 20,
        StepKind.THREAD_STACKS: 0.25,
        StepKind.PROGRAM: 9,
        StepKind.LIBRARIES: 2.5,
        StepKind.FILES: 11,
        StepKind.SHARED: 4,
        StepKind.KERNEL: 0.0078125,
    }
    assert not any(step.is_estimated for step in residence.steps)
    assert residence.no_runtime is None


def test_what_overlaps_the_arenas_is_the_runtimes_whatever_it_was_taken_for() -> None:
    groups = told(sample_of(memstats(), a_gc(), some_mappings(), GO_ARENAS)).groups
    assert [group.kind for group in groups[:2]] == [MappingKind.RUNTIME, MappingKind.ANONYMOUS]


@pytest.mark.parametrize(
    ("start", "end", "is_runtimes"),
    [(0, 10, False), (5, 11, True), (10, 20, True), (12, 13, True), (19, 30, True), (20, 30, False), (25, 60, True)],
)
def test_overlaps(start: int, end: int, is_runtimes: bool) -> None:
    arenas = Arenas(((10, 20), (40, 50)), MIB, 0)
    group = a_group(MappingKind.MALLOC, 1)._replace(start=start, end=end)
    (found,) = told(sample_of(memstats(), Mappings((group,), MIB, 1), arenas)).groups
    assert (found.kind is MappingKind.RUNTIME) is is_runtimes


def test_before_the_first_collection_nothing_is_known_to_live() -> None:
    gc = a_gc(live_after_gc_bytes=Missing("no collection has ended"))
    found = sizes(told(sample_of(memstats(), gc, some_mappings(), GO_ARENAS)))
    assert found[StepKind.HEAP] == 412
    assert StepKind.LIVE not in found


def test_memory_of_the_programs_own_is_told_from_the_runtimes_by_its_size_alone() -> None:
    """The runtime says it has 30 MiB outside its arenas, of which pages may be anywhere."""
    own = a_group(MappingKind.ANONYMOUS, 64, start=1)
    residence = told(sample_of(memstats(), a_gc(), some_mappings(own), GO_ARENAS))
    assert sizes(residence)[StepKind.ANONYMOUS] == 64
    assert {step.kind for step in residence.steps if step.is_estimated} == {StepKind.METADATA, StepKind.ANONYMOUS}


def test_where_the_kernel_takes_names_nothing_is_estimated() -> None:
    named = [
        a_group(MappingKind.ANONYMOUS, 455, "Go: heap"),
        a_group(MappingKind.ANONYMOUS, 5, "Go: page summary"),
        a_group(MappingKind.ANONYMOUS, 3, start=0x7F12_0000_0000),
    ]
    residence = told(sample_of(memstats(), a_gc(), Mappings(tuple(named), 463 * MIB, 9), GO_ARENAS))
    assert sizes(residence)[StepKind.ANONYMOUS] == 3
    assert not any(step.is_estimated for step in residence.steps)
    kinds = [group.kind for group in residence.groups]
    assert kinds == [MappingKind.RUNTIME, MappingKind.RUNTIME, MappingKind.ANONYMOUS]


def test_pages_of_zeros_are_not_in_rss() -> None:
    """Memory that was only read: pagemap says present, smaps says not."""
    arenas = replace(GO_ARENAS, resident_bytes=470 * MIB)
    residence = told(sample_of(memstats(), a_gc(), some_mappings(), arenas))
    assert isinstance(residence.arenas, Arenas)
    assert residence.arenas.resident_bytes == 455.125 * MIB  # the pieces summed up may be of the arenas


def test_memory_given_back_may_still_be_there() -> None:
    stats = memstats(HeapIdle=129 * MIB, HeapReleased=129 * MIB)
    arenas = Arenas(GO_ARENAS.ranges, 570 * MIB, 0)
    heap = a_group(MappingKind.ANONYMOUS, 570, start=0xC0_0000_0000)
    found = sizes(told(sample_of(stats, a_gc(), some_mappings(heap), arenas)))
    assert StepKind.IDLE not in found
    assert found[StepKind.NOT_RESIDENT] > 0


def test_what_the_kernel_counts_otherwise_is_unexplained() -> None:
    residence = told(sample_of(memstats(), a_gc(), some_mappings(rss_mib=-3), GO_ARENAS))
    assert sizes(residence)[StepKind.UNEXPLAINED] == -3


def test_without_the_kernels_count_the_pages_count() -> None:
    mappings = replace(some_mappings(), rss_bytes=WHY)
    residence = told(sample_of(memstats(), a_gc(), mappings, GO_ARENAS))
    assert residence.rss_bytes == mappings.counted_bytes


def test_without_arenas_it_is_estimated() -> None:
    heap = a_group(MappingKind.ANONYMOUS, 455, start=0xC0_0000_0000)
    residence = told(sample_of(memstats(), a_gc(), Mappings((heap,), 455 * MIB, 1)))
    assert sizes(residence)[StepKind.LIVE] == 320
    assert any(step.is_estimated for step in residence.steps)


def test_a_runtime_that_cannot_be_read_says_why() -> None:
    residence = told(sample_of(some_mappings(), memstats=WHY))
    assert residence.no_runtime == WHY
    assert StepKind.METADATA not in sizes(residence)


def test_without_mappings_there_is_nothing_to_say() -> None:
    assert isinstance(residence_of(sample_of(memstats()), Runtime.GO), Missing)


def test_a_native_program() -> None:
    residence = told(sample_of(some_mappings(), memstats=WHY), Runtime.NATIVE)
    found = sizes(residence)
    assert residence.no_runtime is None
    assert (found[StepKind.THREAD_STACKS], found[StepKind.ANONYMOUS]) == (455.25, 24.125)


PYTHON = memstats(HeapSmall=20 * MIB, HeapInuse=26 * MIB, HeapIdle=6 * MIB, HeapSys=32 * MIB)
ARENAS = Arenas(((0x7F00_0000_0000, 0x7F00_0200_0000),), 30 * MIB, 0)
PYTHONS = Mappings(
    (
        a_group(MappingKind.ANONYMOUS, 70, start=0x7F00_0000_0000),
        a_group(MappingKind.MALLOC, 25, "[heap]"),
        a_group(MappingKind.LIBRARY, 5, "/usr/lib/libpython3.11.so.1.0"),
    ),
    100 * MIB,
    3,
)


def test_a_python_program() -> None:
    found = sizes(told(sample_of(PYTHON, PYTHONS, ARENAS), Runtime.CPYTHON))
    assert found == {
        StepKind.HEAP: 20,
        StepKind.FREE_SLOTS: 6,
        StepKind.IDLE: 6,
        StepKind.NOT_RESIDENT: -2,
        StepKind.MALLOC: 25,
        StepKind.ANONYMOUS: 40,
        StepKind.LIBRARIES: 5,
    }


def test_an_agent_tells_what_malloc_holds() -> None:
    malloc = Malloc(in_use_bytes=45 * MIB, mapped_bytes=38 * MIB, free_bytes=20 * MIB, trimmable_bytes=WHY)
    found = sizes(told(sample_of(PYTHON, PYTHONS, ARENAS, malloc), Runtime.CPYTHON))
    assert (found[StepKind.MALLOC_USED], found[StepKind.MALLOC_FREE]) == (45, 20)
    # 27 of [heap] are counted and 25 resident; all 38 of the blocks with mappings of their own may be among 40
    assert (found[StepKind.NOT_RESIDENT], found[StepKind.ANONYMOUS]) == (-4, 2)
    assert StepKind.MALLOC not in found


maybe_sizes = st.integers(0, 1 << 40) | st.just(WHY)
kinds = st.sampled_from([kind for kind in MappingKind if kind is not MappingKind.RUNTIME])
names = st.sampled_from(["", "", "/a", "Go: heap", "Go: gc bits", "[heap]"])


@st.composite
def groups(draw: st.DrawFn) -> MappingGroup:
    start = draw(st.integers(0, 100))
    end = draw(st.just(0) | st.integers(start + 1, 140))
    figures = tuple(draw(st.integers(0, 1 << 40)) for _ in range(6))
    values = (draw(kinds), draw(names), 1, *figures, start if end else 0, end)
    return MappingGroup._make(values)


@settings(max_examples=60)
@given(
    st.lists(groups(), max_size=8),
    st.integers(0, 1 << 40) | st.just(WHY),
    st.builds(Arenas, st.just(((10, 20), (40, 50))), st.integers(0, 1 << 40), st.just(0)) | st.just(WHY),
    st.fixed_dictionaries({field.name: maybe_sizes for field in fields(MemStats)}),
    maybe_sizes,
    st.none() | st.builds(Malloc, in_use_bytes=maybe_sizes, mapped_bytes=maybe_sizes, free_bytes=maybe_sizes,
                          trimmable_bytes=maybe_sizes),
    st.sampled_from(Runtime),
)  # fmt: skip
def test_it_always_adds_up(
    held: list[MappingGroup],
    rss: Maybe[int],
    arenas: Maybe[Arenas],
    counters: dict[str, Maybe[int]],
    live: Maybe[int],
    malloc: Malloc | None,
    runtime: Runtime,
) -> None:
    """Whatever the readings say, and however little they agree."""
    facts: list[Fact] = [MemStats(**counters), a_gc(live_after_gc_bytes=live), Mappings(tuple(held), rss, len(held))]  # type: ignore[arg-type]  # numbers in place of tuples
    facts += [malloc] if malloc is not None else []
    residence = told(sample_of(*facts, arenas=arenas), runtime)
    others = [s for s in residence.steps if s.kind not in (StepKind.NOT_RESIDENT, StepKind.UNEXPLAINED)]
    assert all(step.size_bytes > 0 for step in others)
    assert len({step.kind for step in residence.steps}) == len(residence.steps)
    counted = sum(group.rss_bytes for group in held)
    unexplained = next((s.size_bytes for s in residence.steps if s.kind is StepKind.UNEXPLAINED), 0)
    assert unexplained == (0 if isinstance(rss, Missing) else rss - counted)
