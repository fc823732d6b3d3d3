"""The heap profile: what counts when, how it is scaled, and that only what changed is worked out anew."""

import pytest

from memdash.errors import BadRead
from memdash.model.profile import Frame, Usage
from memdash.probes.go.heap_profile import HeapProfileReader, sampling_factor, usage_of
from tests.probes.go.runtime import TEXT, FakeRuntime

RATE = 512 * 1024
ALL_THERE_IS = 1
IN_MALLOC, IN_GROW, IN_LEAK, IN_MAIN = TEXT + 5, TEXT + 64 + 9, TEXT + 64 + 40, TEXT + 130


@pytest.mark.parametrize(
    ("allocs", "frees", "size", "usage"),
    [
        (13, 0, 65536, Usage(7250600, 110, 7250600, 110)),  # what pprof said of a live program
        (21, 0, 65536, Usage(11712508, 178, 11712508, 178)),
        (15, 0, 65536, Usage(8366077, 127, 8366077, 127)),
        (1, 0, 112, Usage(524344, 4681, 524344, 4681)),
        (1, 1, 112, Usage(0, 0, 524344, 4681)),
        (1, 3, 112, Usage(0, 0, 524344, 4681)),
        (0, 0, 112, Usage(0, 0, 0, 0)),
        (7, 2, 0, Usage(0, 0, 0, 0)),
    ],
)
def test_scaled_as_pprof_does(allocs: int, frees: int, size: int, usage: Usage) -> None:
    assert usage_of(allocs, frees, size, RATE) == usage


@pytest.mark.parametrize("rate", [0, 1])
def test_when_everything_is_sampled_nothing_is_scaled(rate: int) -> None:
    assert usage_of(5, 2, 48, rate) == Usage(3 * 48, 3, 5 * 48, 5)


def test_a_sample_of_large_objects_stands_for_itself() -> None:
    assert sampling_factor(1 << 30, RATE) == pytest.approx(1)
    assert sampling_factor(8, RATE) == pytest.approx(RATE / 8, rel=1e-4)


@pytest.mark.parametrize("rate", [1 << 55, (1 << 63) - 1])
def test_a_rate_that_hardly_ever_samples_still_scales(rate: int) -> None:
    assert sampling_factor(16, rate) == pytest.approx(rate / 16)


@pytest.fixture
def reader(runtime: FakeRuntime) -> HeapProfileReader:
    runtime.word("MemProfileRate", ALL_THERE_IS)
    return HeapProfileReader(runtime.program)


def counted(reader: HeapProfileReader) -> list[tuple[int, int]]:
    """Objects allocated and held, by site."""
    return sorted((site.usage.alloc_objects, site.usage.inuse_objects) for site in reader.read().sites)


def test_stacks_are_named_innermost_first_with_inlined_calls(runtime: FakeRuntime, reader: HeapProfileReader) -> None:
    runtime.bucket(32, [IN_MALLOC, IN_GROW, IN_LEAK, IN_MAIN, 0x1234], (1, 0, 0, 0, 0, 0, 0, 0))
    (site,) = reader.read().sites
    assert site.stack == (
        Frame("runtime.mallocgc", "malloc.go", 1),
        Frame("main.grow", "leak.go", 10),
        Frame("main.leak", "leak.go", 20),
        Frame("main.main", "main.go", 1),
        Frame("0x1234", "", 0),
    )
    assert site.pcs == (IN_MALLOC, IN_GROW, IN_LEAK, IN_MAIN, 0x1234)
    assert site.usage == Usage(32, 1, 32, 1)


@pytest.mark.parametrize(
    ("cycle", "published"), [(0, (11, 11)), (1, (101, 101)), (2, (1001, 1001)), (3, (11, 11)), (7, (101, 101))]
)
@pytest.mark.parametrize("flushed", [0, 1])
def test_published_is_what_is_active_and_the_future_that_has_come(
    runtime: FakeRuntime, reader: HeapProfileReader, cycle: int, flushed: int, published: tuple[int, int]
) -> None:
    runtime.bucket(16, [IN_MAIN], (1, 0, 10, 0, 100, 0, 1000, 0))
    runtime.word("mProfCycle", cycle << 1 | flushed, size=4)
    assert counted(reader) == [published]
    assert reader.read().published


def test_before_the_first_cycle_everything_is_published(runtime: FakeRuntime, reader: HeapProfileReader) -> None:
    first = runtime.bucket(16, [IN_MAIN], (0, 0, 0, 0, 0, 0, 5, 2))
    assert counted(reader) == [(5, 3)]
    runtime.count(first, (1, 0, 0, 0, 0, 0, 5, 2))
    assert counted(reader) == [(1, 1)]


def test_live_counts_everything(runtime: FakeRuntime) -> None:
    runtime.word("MemProfileRate", ALL_THERE_IS)
    runtime.bucket(16, [IN_MAIN], (1, 0, 10, 1, 100, 1, 1000, 1))
    reader = HeapProfileReader(runtime.program, live=True)
    assert counted(reader) == [(1111, 1108)]
    assert not reader.read().published


def test_what_does_not_change_stays_the_same_object(runtime: FakeRuntime, reader: HeapProfileReader) -> None:
    runtime.bucket(16, [IN_MAIN], (3, 1, 0, 0, 0, 0, 0, 0))
    changing = runtime.bucket(64, [IN_LEAK], (3, 1, 0, 0, 0, 0, 0, 0))
    first = reader.read()
    assert reader.read() is first
    runtime.count(changing, (4, 1, 0, 0, 0, 0, 0, 0))
    second = reader.read()
    kept = set(map(id, first.sites)) & set(map(id, second.sites))
    assert len(kept) == 1
    assert second.total == Usage(16 * 2 + 64 * 3, 5, 16 * 3 + 64 * 4, 7)


def test_a_new_cycle_changes_only_what_it_moves(runtime: FakeRuntime, reader: HeapProfileReader) -> None:
    runtime.bucket(16, [IN_MAIN], (3, 0, 0, 0, 0, 0, 0, 0))
    runtime.bucket(16, [IN_LEAK], (1, 0, 0, 0, 2, 0, 0, 0))
    first = reader.read()
    assert counted(reader) == [(1, 1), (3, 3)]
    runtime.word("mProfCycle", 1 << 1, size=4)
    second = reader.read()
    assert counted(reader) == [(3, 3), (3, 3)]
    assert len(set(map(id, first.sites)) & set(map(id, second.sites))) == 1


def test_another_sampling_rate_rescales_everything(runtime: FakeRuntime, reader: HeapProfileReader) -> None:
    runtime.bucket(112, [IN_MAIN], (1, 0, 0, 0, 0, 0, 0, 0))
    assert reader.read().total == Usage(112, 1, 112, 1)
    runtime.word("MemProfileRate", RATE)
    profile = reader.read()
    assert profile.sample_rate_bytes == RATE
    assert profile.total == Usage(524344, 4681, 524344, 4681)


def test_sites_come_and_grow_over_many_batches(runtime: FakeRuntime, reader: HeapProfileReader) -> None:
    for i in range(700):
        runtime.bucket(16, [IN_MAIN, i], (1, 0, 0, 0, 0, 0, 0, 0))
    assert reader.read().total.alloc_objects == 700
    for i in range(700, 1500):
        runtime.bucket(16, [IN_MAIN, i], (2, 0, 0, 0, 0, 0, 0, 0))
    assert reader.read().total.alloc_objects == 700 + 2 * 800
    assert {site.pcs[1] for site in reader.read().sites} == set(range(1500))


def test_a_record_that_never_counted_is_no_site(runtime: FakeRuntime, reader: HeapProfileReader) -> None:
    runtime.bucket(16, [IN_MAIN], (0, 0, 0, 0, 0, 0, 0, 0))
    runtime.bucket(16, [IN_LEAK], (1, 1, 0, 0, 0, 0, 0, 0))
    assert counted(reader) == [(1, 0)]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [("hash", 1, "hash"), ("typ", 2, "no profile record"), ("nstk", 1025, "no profile record"), ("size", 17, "hash")],
)
def test_a_record_that_is_none_is_refused(
    runtime: FakeRuntime, reader: HeapProfileReader, field: str, value: int, says: str
) -> None:
    bucket = runtime.bucket(16, [IN_MAIN])
    runtime.set(bucket, "bucket", field, value)
    with pytest.raises(BadRead, match=says):
        reader.read()


def test_a_list_that_leads_nowhere_is_a_bad_read(runtime: FakeRuntime, reader: HeapProfileReader) -> None:
    runtime.set(runtime.bucket(16, [IN_MAIN]), "bucket", "allnext", 8)
    with pytest.raises(BadRead, match="not mapped"):
        reader.read()


def test_a_negative_rate_switches_sampling_off_and_scales_nothing(runtime: FakeRuntime) -> None:
    runtime.word("MemProfileRate", (1 << 64) - 1)
    runtime.bucket(48, [IN_LEAK], (5, 2, 0, 0, 0, 0, 0, 0))
    profile = HeapProfileReader(runtime.program).read()
    assert [site.usage for site in profile.sites] == [Usage(3 * 48, 3, 5 * 48, 5)]
    assert profile.sample_rate_bytes == 0
