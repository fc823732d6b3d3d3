"""What a Go program tells through its endpoints against what its memory says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType

import pytest

from memdash.cli import main
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.profile import Frame, Profile
from memdash.model.sample import Fact
from memdash.model.target import Target
from memdash.model.tasks import Tasks
from memdash.network.address import Address
from memdash.network.client import Client
from memdash.pprof.convert import sites_document
from memdash.pprof.decode import decode
from memdash.pprof.document import Document
from memdash.probes.endpoint import Endpoint
from memdash.probes.endpoint.discover import found_at, found_in
from memdash.probes.endpoint.memstats import of_heap_text
from memdash.probes.endpoint.profiles import fetched
from memdash.probes.registry import probes_with
from memdash.process.identity import identify
from memdash.session import read_once
from memdash.session.errand import Errand
from tests.live.conftest import StartGo, every_minor
from tests.live.goroutine_endpoint import is_of_the_endpoint
from tests.live.pprof_endpoint import abbreviated
from tests.live.target import GoTarget
from tests.live.watched import MOVED_BY_ASKING, Watched
from tests.waiting import whole_reading

pytestmark = pytest.mark.live

TRIES = 10


@pytest.fixture(params=every_minor())
def target(request: pytest.FixtureRequest, start_go: StartGo) -> GoTarget:
    started = start_go("stripped", "pprof", minor=request.param)
    for command in ("alloc 200", "buckets 300", "park", "chan 20", "gc", "gc"):
        started.command(command)
    return started


def address_of(target: GoTarget, path: str = "/") -> Address:
    return Address.parse(f"http://{target.command('addr')}{path}")


def told(target: GoTarget) -> list[Fact]:
    """Every fact that it tells through its endpoints."""
    address = address_of(target)
    facts: list[Fact] = []
    for probe in Endpoint(address).attach(Target.at_url(address.url, address.server)).probes:
        facts += whole_reading(probe).facts
        probe.close()
    return facts


def fact(facts: list[Fact], kind: type[Fact]) -> Fact:
    return next(fact for fact in facts if isinstance(fact, kind))


def test_each_of_its_figures_lies_between_two_looks_at_its_memory(target: GoTarget) -> None:
    with Watched(target) as watched:
        differ: dict[str, object] = {}
        for _ in range(TRIES):
            told(target)  # what is asked for the first time sets memory aside
            before = watched.memstats()
            theirs = fact(told(target), MemStats)
            after = watched.memstats()
            assert isinstance(theirs, MemStats)
            differ = dict(outside(before, theirs, after))
            if not differ:
                break
        assert differ == {}


def outside(before: MemStats, theirs: MemStats, after: MemStats) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for field in fields(MemStats):
        low, value, high = (getattr(stats, field.name) for stats in (before, theirs, after))
        if field.name in MOVED_BY_ASKING or isinstance(value, Missing):
            continue
        if field.name == "BySize":
            assert [row.size_bytes for row in value] == [row.size_bytes for row in low]
        elif not (min(low, high) <= value <= max(low, high)):
            found.append((field.name, (low, value, high)))
    return found


def test_the_text_under_its_heap_profile_tells_the_same(target: GoTarget) -> None:
    client = Client(address_of(target, "/debug/pprof/"))
    with Watched(target) as watched:
        before = watched.memstats()
        theirs = of_heap_text(client.get("heap", "debug=1").body)
        after = watched.memstats()
    assert {name for name in MemStats.__dataclass_fields__ if isinstance(getattr(theirs, name), Missing)} == {
        "PauseTotalNs", "EnableGC", "BySize", "HeapSmall",
    }  # fmt: skip
    assert outside(before, theirs, after) == []


def test_its_heap_is_that_of_its_memory(target: GoTarget) -> None:
    with Watched(target) as watched:
        for _ in range(TRIES):
            ours, theirs, again = watched.profile(), fact(told(target), Profile), watched.profile()
            if ours.sites == again.sites:
                break
    assert isinstance(theirs, Profile)
    assert theirs.total == ours.total
    assert held(sites_document(theirs, (), 0)) == held(sites_document(ours, (), 0))
    assert theirs.sample_rate_bytes == ours.sample_rate_bytes


def held(document: Document) -> Counter[tuple[tuple[Frame, ...], tuple[int, ...]]]:
    def frames(key: int) -> tuple[Frame, ...]:
        return tuple(
            Frame(abbreviated(line.function.name), line.function.file, line.line)
            for line in document.locations[key].lines
        )

    return Counter(
        (tuple(frame for key in sample.stack for frame in frames(key)), sample.values) for sample in document.samples
    )


def test_its_goroutines_wait_for_what_its_memory_says(target: GoTarget) -> None:
    theirs = fact(told(target), Tasks)
    assert isinstance(theirs, Tasks)
    with Watched(target) as watched:
        ours = watched.tasks()
    names_locks = any(task.state == "sync.Mutex.Lock" for task in ours.groups)  # Go 1.19 calls them semacquire
    assert waits(theirs, {} if names_locks else {"sync.Mutex.Lock": "semacquire"}) == waits(ours)


def waits(tasks: Tasks, meaning: Mapping[str, str] = MappingProxyType({})) -> Counter[tuple[str, str]]:
    """How many wait for what, in which function of the program; a stack does not show that a channel is nil."""
    found: Counter[tuple[str, str]] = Counter()
    for task in tasks.groups:
        own = next((frame.function for frame in task.stack if frame.function.startswith("main.")), "")
        if own and not is_of_the_endpoint(task.stack) and not task.is_busy:
            state = task.state.removesuffix(" (nil chan)")
            found[abbreviated(own), meaning.get(state, state)] += task.count
    return found


def test_it_is_found_among_its_own_ports_and_under_a_prefix(target: GoTarget) -> None:
    address = address_of(target)
    assert found_in(identify(target.pid)).pprof == address.at("/debug/pprof/")
    found = found_at(address.at("/admin"))
    assert (found.pprof, found.vars) == (address.at("/admin/debug/pprof/"), address.at("/admin/debug/vars"))


def test_it_collects_once_when_asked_and_memory_stays_what_is_read(target: GoTarget) -> None:
    entries = probes_with(asked=(Endpoint(),))
    with Watched(target) as watched:
        before = watched.memstats()
        deed = Errand(consent=lambda _action, _words: True, tell=print, entries=entries).run(
            identify(target.pid), Action.FORCE_GC
        )
        after = watched.memstats()
    assert deed is not None
    assert not deed.failed, deed.words
    assert isinstance(before.NumGC, int)
    assert isinstance(before.NumForcedGC, int)
    assert (after.NumGC, after.NumForcedGC) == (before.NumGC + 1, before.NumForcedGC + 1)
    snapshot = read_once(identify(target.pid), entries=entries)
    sources = {capability: origin.source for capability, origin in snapshot.sample.origins.items()}
    assert {sources[c] for c in (Capability.MEMSTATS, Capability.GC, Capability.SITES)} == {Source.MEMORY}


def test_its_profiles_are_saved(start_go: StartGo, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = start_go("stripped", "pprof")
    target.command("chan 20")
    argv = ["profile", str(target.pid), "--endpoint", "auto"]
    assert main([*argv, "--type", "goroutine", "-o", str(tmp_path / "g")]) == 0
    assert sum(sample.values[0] for sample in decode((tmp_path / "g").read_bytes()).samples) > 20
    assert main([*argv, "--seconds", "1", "-o", str(tmp_path / "delta")]) == 0
    assert decode((tmp_path / "delta").read_bytes()).duration_ns >= 1_000_000_000
    assert main([*argv, "--type", "goroutineleak", "-o", str(tmp_path / "leaks")]) == 0
    assert fetched(Client(address_of(target, "/debug/pprof/")), "goroutineleak").sample_types[0].kind
    assert "collects its garbage" in capfd.readouterr().err


def test_a_process_that_serves_none_says_so(start_go: StartGo, capfd: pytest.CaptureFixture[str]) -> None:
    target = start_go("stripped")
    assert main(["gc", str(target.pid), "--endpoint", "auto", "--yes"]) == 1
    assert "listens on no TCP port" in capfd.readouterr().err
    assert main(["gc", str(target.pid), "--yes"]) == 1
    assert "--endpoint auto" in capfd.readouterr().err
    assert main(["report", str(target.pid), "--endpoint", "auto"]) == 0
    assert "endpoint: the process listens on no TCP port" in capfd.readouterr().out
