"""One look at the counters of a runtime laid out in our own memory."""

import pytest

from memdash.errors import BadRead, LayoutRefused
from memdash.probes.go.counters import CounterReader
from memdash.probes.go.fields import Fields
from memdash.probes.go.memstats import mem_stats
from tests.probes.go.runtime import FakeRuntime

SWEEPGEN = 8
CACHED, STALE = SWEEPGEN + 3, SWEEPGEN + 1
CLASS_OF_48, CLASS_OF_48_WITHOUT_POINTERS = 5 << 1, 5 << 1 | 1


@pytest.fixture
def counting(runtime: FakeRuntime) -> FakeRuntime:
    runtime.set("mheap_", "mheap", "sweepgen", SWEEPGEN, size=4)
    return runtime


def small_allocs(runtime: FakeRuntime) -> dict[int, int]:
    """Objects allocated by size class, but for the classes without any."""
    counts = CounterReader(runtime.program).read().heap.small_alloc_counts
    return {size_class: count for size_class, count in enumerate(counts) if count}


def test_the_three_generations_are_summed(counting: FakeRuntime) -> None:
    for generation, value in enumerate((100, -30, 5)):
        counting.heap("largeAlloc", value, generation)
        counting.heap("smallAllocCount", value, generation, index=5)
        counting.heap("smallFreeCount", value - 1, generation, index=67)
    heap = CounterReader(counting.program).read().heap
    assert heap.large_alloc == 75
    assert heap.small_alloc_counts[5] == 75
    assert heap.small_free_counts[67] == 72


def test_objects_in_cached_spans_are_counted_in(counting: FakeRuntime) -> None:
    counting.heap("smallAllocCount", 1000, index=5)
    counting.cache_span(0, CLASS_OF_48, counting.new_span(CLASS_OF_48, alloc_count=70, before=20, sweepgen=CACHED))
    counting.cache_span(1, CLASS_OF_48_WITHOUT_POINTERS, counting.new_span(11, 9, 2, CACHED))
    assert small_allocs(counting) == {5: 1000 + 50 + 7}


@pytest.mark.parametrize(
    ("span_class", "alloc_count", "before", "sweepgen"),
    [
        (CLASS_OF_48 + 2, 70, 20, CACHED),  # put to another use
        (CLASS_OF_48, 20, 70, CACHED),
        (CLASS_OF_48, 70, 20, SWEEPGEN),  # no longer cached
        (CLASS_OF_48, 70, 0, STALE),  # just being flushed
    ],
)
def test_a_span_that_has_left_its_cache_is_not(
    counting: FakeRuntime, span_class: int, alloc_count: int, before: int, sweepgen: int
) -> None:
    counting.cache_span(0, CLASS_OF_48, counting.new_span(span_class, alloc_count, before, sweepgen))
    assert small_allocs(counting) == {}


def test_tiny_objects_of_the_caches_are_counted_in(counting: FakeRuntime) -> None:
    counting.heap("tinyAllocCount", 100)
    for p, tiny in enumerate((7, 8)):
        counting.set(counting.cache[p], "mcache", "tinyAllocs", tiny)
    stats = mem_stats(CounterReader(counting.program).read(), counting.layout)
    assert (stats.Mallocs, stats.Frees, stats.HeapObjects) == (115, 115, 0)


def test_the_number_of_ps_may_change_at_any_time(counting: FakeRuntime) -> None:
    reader = CounterReader(counting.program)
    assert reader.read().gomaxprocs == 2
    counting.word("gomaxprocs", 1, size=4)
    assert reader.read().gomaxprocs == 1
    counting.slice(counting.addresses["allp"], counting.p[::-1])
    counting.word("gomaxprocs", 2, size=4)
    assert reader.read().gomaxprocs == 2


def test_a_p_without_a_cache_is_left_out(counting: FakeRuntime) -> None:
    counting.set(counting.cache[1], "mcache", "tinyAllocs", 5)
    counting.set(counting.p[1], "p", "mcache", 0)
    assert CounterReader(counting.program).read().heap.tiny_alloc_count == 0


@pytest.mark.parametrize("gomaxprocs", [0, 3, 5000])
def test_an_impossible_number_of_ps_is_a_bad_read(counting: FakeRuntime, gomaxprocs: int) -> None:
    counting.word("gomaxprocs", gomaxprocs, size=4)
    with pytest.raises(BadRead, match="GOMAXPROCS"):
        CounterReader(counting.program)


def test_two_accounts_that_differ_are_told(counting: FakeRuntime) -> None:
    reader = CounterReader(counting.program)
    assert reader.read().torn_bytes == 0
    counting.heap("inHeap", 8192)
    counting.set("gcController", "gcControllerState", "heapReleased", 4096)
    assert reader.read().torn_bytes == 8192 + 4096


def test_a_p_that_is_just_adding_is_told(counting: FakeRuntime) -> None:
    counting.set(counting.p[1], "p", "statsSeq", 7, size=4)
    assert CounterReader(counting.program).read().torn_bytes == 1


def test_the_rings_are_decoded_again_with_each_cycle(counting: FakeRuntime) -> None:
    reader = CounterReader(counting.program)
    assert reader.read().pause_ns[0] == 0
    counting.set("memstats", "mstats", "pause_ns", 123)
    counting.set("memstats", "mstats", "numgc", 1, size=4)
    assert reader.read().pause_ns[0] == 123


def test_rings_that_were_read_before_their_cycle_ended_do_not_stay(counting: FakeRuntime) -> None:
    reader = CounterReader(counting.program)
    counting.set("memstats", "mstats", "numgc", 1, size=4)
    assert reader.read().pause_ns[0] == 0
    counting.set("memstats", "mstats", "pause_ns", 123)
    counting.set("memstats", "mstats", "pause_total_ns", 123)
    assert reader.read().pause_ns[0] == 123


def test_fields_are_read_wherever_they_stand() -> None:
    fields = Fields({"late": 12, "early": 4, "other": 6}, {"late": "i", "early": "B"})
    assert (fields.start, fields.size) == (4, 12)
    buffer = memoryview(bytes([9, 5, *[0] * 7, *[0xFE, 0xFF, 0xFF, 0xFF]]))
    assert fields.read(buffer, 1) == {"early": 5, "late": -2}


def test_fields_that_overlap_are_refused() -> None:
    with pytest.raises(LayoutRefused, match="overlaps"):
        Fields({"one": 0, "other": 4}, {"one": "Q", "other": "I"})


def test_a_layout_without_a_field_is_refused(counting: FakeRuntime) -> None:
    with pytest.raises(LayoutRefused, match=r"no runtime\.mstats\.renamed"):
        Fields.of(counting.program, "mstats", ["renamed"])


def test_a_pointer_that_is_no_address_is_refused_at_every_look(counting: FakeRuntime) -> None:
    reader = CounterReader(counting.program)
    reader.read()
    counting.cache_span(0, CLASS_OF_48, (1 << 64) - 1)
    for _ in range(2):
        with pytest.raises(BadRead):
            reader.read()
    counting.cache_span(0, CLASS_OF_48, counting.addresses["emptymspan"])
    assert not any(reader.read().heap.small_alloc_counts)
