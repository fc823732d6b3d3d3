"""The heap profile against the same program's /debug/pprof/heap, stack by stack, and against go tool pprof in sum."""

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from memdash.model.capability import Capability
from memdash.model.profile import Profile
from tests.live.conftest import StartGo
from tests.live.gopprof import go_pprof
from tests.live.pprof_endpoint import EndpointProfile, abbreviated, fetch_heap, read_heap, shown
from tests.live.target import GoTarget
from tests.live.watched import Watched

pytestmark = pytest.mark.live

WORK = ("alloc 200", "buckets 300", "churn 1", "stop", "gc", "gc")
RATES = {"default rate": (), "every allocation": ("rate 1",)}


def both(target: GoTarget, watched: Watched) -> tuple[Profile, EndpointProfile]:
    """Our profile and theirs, of the same cycle: a collection between the two would make them differ."""
    for _ in range(10):
        ours, theirs, again = watched.profile(), read_heap(target), watched.profile()
        if ours.sites == again.sites:
            return ours, theirs
    raise AssertionError("the profile changes all the time")


@pytest.fixture(params=list(RATES.values()), ids=list(RATES))
def target(request: pytest.FixtureRequest, start_go: StartGo) -> GoTarget:
    started = start_go("stripped", "pprof")
    for command in (*request.param, *WORK):
        started.command(command)
    return started


def test_every_stack_holds_what_the_endpoint_says(target: GoTarget) -> None:
    with Watched(target) as watched:
        ours, theirs = both(target, watched)
    assert Counter((site.pcs, site.usage) for site in ours.sites) == theirs.sites
    assert ours.sample_rate_bytes == theirs.rate_bytes
    assert ours.published
    assert ours.total.inuse_bytes > 0


def test_every_stack_is_named_as_the_endpoint_names_it(target: GoTarget) -> None:
    with Watched(target) as watched:
        ours, theirs = both(target, watched)
    assert {site.pcs: shown(site.stack) for site in ours.sites} == {
        pcs: theirs.stacks[pcs] for pcs in {site.pcs for site in ours.sites}
    }


def test_a_refresh_is_as_true_as_the_first_look(target: GoTarget) -> None:
    with Watched(target) as watched:
        both(target, watched)
        for command in ("free", "alloc 20", "buckets 350", "gc"):
            target.command(command)
            ours, theirs = both(target, watched)
            assert Counter((site.pcs, site.usage) for site in ours.sites) == theirs.sites


def test_go_tool_pprof_adds_up_the_same(target: GoTarget, tmp_path: Path) -> None:
    with Watched(target) as watched:
        ours = watched.profile()
        file = tmp_path / "heap.pb.gz"
        file.write_bytes(fetch_heap(target))
        assert ours.sites == watched.profile().sites
    for sample, total in ours.total._asdict().items():
        by_function: dict[str, int] = defaultdict(int)
        for site in ours.sites:
            by_function[shown(site.stack)[0].function] += getattr(site.usage, sample)
        kind, unit = sample.split("_")
        theirs_total, theirs = top(file, f"{kind}_{'space' if unit == 'bytes' else unit}")
        assert theirs_total == total
        assert theirs == {name: value for name, value in by_function.items() if value}


def top(file: Path, sample_index: str) -> tuple[int, dict[str, int]]:
    """The total and what each function holds itself, as go tool pprof -top tells."""
    options = ["-top", "-nodecount=100000", "-nodefraction=0", "-unit=B", f"-sample_index={sample_index}"]
    text = go_pprof(*options, file)
    total = re.search(r"of (\d+)B? total", text)
    assert total
    rows = re.findall(r"^ *(\d+)B? +\S+ +\S+ +\d+B? +\S+ +(.+?)(?: \(inline\))?$", text, re.MULTILINE)
    return int(total[1]), {abbreviated(name): int(flat) for flat, name in rows if int(flat)}


def test_before_the_first_collection_the_newest_allocations_show(start_go: StartGo) -> None:
    target = start_go("stripped", "pprof")
    target.command("rate 1")
    with Watched(target) as watched:
        ours, theirs = both(target, watched)
    assert ours.sites
    assert Counter((site.pcs, site.usage) for site in ours.sites) == theirs.sites


def test_a_program_without_the_profiler_says_so(start_go: StartGo) -> None:
    with Watched(start_go("stripped")) as watched:
        missing = watched.attachment.missing[Capability.SITES]
    assert "does not link Go's heap profiler" in missing.why
    assert "net/http/pprof" in missing.hint


def test_a_program_that_switched_the_profiler_off_says_so(start_go: StartGo) -> None:
    target = start_go("stripped", "pprof", environment={"GODEBUG": "memprofilerate=0"})
    with Watched(target) as watched:
        assert "switched Go's heap profiler off" in watched.attachment.missing[Capability.SITES].why
