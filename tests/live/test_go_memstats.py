"""Every field of runtime.MemStats against what the program's own ReadMemStats says."""

import pytest

from memdash.model.memstats import MemStats
from tests.live.conftest import StartGo
from tests.live.target import GoTarget
from tests.live.watched import MOVED_BY_ASKING, Watched, differences, own_memstats

pytestmark = pytest.mark.live

STATES = {
    "just started": (),
    "holding 32 MB": ("alloc 500", "gc"),
    "having freed it": ("alloc 500", "gc", "free", "gc"),
    "having returned it": ("alloc 500", "free", "freeos"),
    "a thousand goroutines": ("chan 1000",),
    "a heap that grows fourfold": ("alloc 100", "gogc 400", "gc"),
    "at its memory limit": ("alloc 500", "memlimit 30000000", "gc"),
    "within its memory limit": ("alloc 500", "gogc -1", "memlimit 900000000", "gc"),
    "collection off": ("gogc -1", "alloc 100"),
    "more processors": ("procs 7", "alloc 10"),
    "one processor": ("procs 1", "alloc 10"),
}
TRIES = 10
"""The runtime does things of its own at times: it starts a thread, returns memory, ends a sweep."""


@pytest.mark.parametrize("commands", STATES.values(), ids=STATES)
def test_at_rest_every_field_is_equal(start_go: StartGo, commands: tuple[str, ...]) -> None:
    target = start_go("stripped")
    with Watched(target) as watched:
        for command in commands:
            target.command(command)
        differ = {}
        for _ in range(TRIES):
            target.command("settle")
            ours = watched.memstats()
            differ = differences(ours, own_memstats(target.stats()))
            if not differ:
                break
        assert differ == {}


def test_what_was_allocated_is_counted_though_the_runtime_has_not_counted_it_yet(start_go: StartGo) -> None:
    """Asking makes the runtime flush its caches: that moves memory between these accounts and changes nothing else."""
    target = start_go("stripped")
    with Watched(target) as watched:
        differ = {}
        for _ in range(TRIES):
            target.command("churn", 1)
            target.command("stop")
            ours = watched.memstats()
            differ = differences(ours, own_memstats(target.stats()))
            if differ.keys() <= MOVED_BY_ASKING:
                break
        assert differ.keys() <= MOVED_BY_ASKING, differ


def test_under_load_every_counter_lies_between_two_looks(start_go: StartGo) -> None:
    target = start_go("stripped")
    with Watched(target) as watched:
        target.command("churn", 2)
        first = int(target.command("ops"))
        for _ in range(40):
            before = watched.memstats()
            theirs = own_memstats(target.stats())
            after = watched.memstats()
            assert_between(before, theirs, after)
        assert int(target.command("ops")) > first
        target.command("stop")


COUNTERS = ("TotalAlloc", "Mallocs", "Frees", "NumGC", "NumForcedGC", "PauseTotalNs", "LastGC", "Lookups")


def assert_between(before: MemStats, theirs: MemStats, after: MemStats) -> None:
    for name in COUNTERS:
        assert getattr(before, name) <= getattr(theirs, name) <= getattr(after, name), name
    assert isinstance(before.BySize, tuple)
    assert isinstance(theirs.BySize, tuple)
    assert isinstance(after.BySize, tuple)
    for low, row, high in zip(before.BySize, theirs.BySize, after.BySize, strict=True):
        assert low.size_bytes == row.size_bytes == high.size_bytes
        assert low.mallocs <= row.mallocs <= high.mallocs
        assert low.frees <= row.frees <= high.frees


def test_what_is_told_adds_up(start_go: StartGo) -> None:
    target: GoTarget = start_go("stripped")
    with Watched(target) as watched:
        target.command("churn", 2)
        for _ in range(40):
            stats = watched.memstats()
            assert stats.Alloc == stats.HeapAlloc
            assert isinstance(stats.PauseNs, tuple)
            assert isinstance(stats.NumGC, int)
            assert len(stats.PauseNs) == min(stats.NumGC, 256)
        target.command("stop")
