"""Objects on the heap against the program's own MemStats."""

import pytest

from memdash.model.objects import Objects
from tests.live.conftest import StartGo, every_build
from tests.live.target import GoTarget
from tests.live.watched import Watched

TRIES = 20
TYPES_SINCE = 22


@pytest.fixture
def target(start_go: StartGo, minor: int, mode: str) -> GoTarget:
    started = start_go(mode, "pprof", minor)
    for command in ("alloc 200", "trees 50", "chan 50", "churn 2", "stop", "buckets 300", "gc", "gc"):
        started.command(*command.split())
    return started


def compared(target: GoTarget, watched: Watched) -> tuple[Objects, dict[str, int]]:
    """At rest: the first stop of the world moves what it asks for, a second finds it all where it was."""
    for _ in range(TRIES):
        target.command("settle")
        objects, stats = watched.objects(), target.stats()
        if objects.total.held_bytes == stats["HeapAlloc"]:
            break
    return objects, stats


@every_build("stripped")
def test_they_add_up_to_heap_alloc(target: GoTarget, minor: int, mode: str) -> None:
    with Watched(target) as watched:
        objects, stats = compared(target, watched)
        assert objects.total.held_bytes == stats["HeapAlloc"]
        rows = {row.name: row for row in objects.types}
        assert rows["large without pointers"].objects >= 200
        assert rows["512 B without pointers"].objects >= 300
        if minor >= TYPES_SINCE:
            assert rows["main.wide"].objects == 50
            assert rows["main.wide"].held_bytes == 50 * 1024
            assert rows["main.tree"].objects == 1


@pytest.mark.live
def test_while_the_heap_changes_they_are_counted_without_an_error(start_go: StartGo) -> None:
    target = start_go("stripped", "pprof")
    with Watched(target) as watched:
        target.command("churn", 2)
        for _ in range(50):
            assert watched.objects().total.held_bytes > 0
        target.command("stop")
