"""Every Go minor in every build mode: the same answers as the program itself gives, found with and without symbols."""

from collections import Counter
from collections.abc import Iterator

import pytest

from memdash.model.gc import Cycle
from memdash.probes.go.counters import CounterReader
from memdash.probes.go.layouts import minors
from memdash.probes.go.locate import by_code, by_symbols
from memdash.probes.go.program import open_program
from memdash.probes.go.verify import verify
from memdash.process.identity import identify
from tests.live.builds import EXPERIMENTS, MODES, Mode
from tests.live.conftest import StartGo
from tests.live.pprof_endpoint import read_heap, shown
from tests.live.target import GoTarget
from tests.live.watched import Watched, differences, own_memstats

pytestmark = pytest.mark.matrix

TRIES = 10


def cells() -> Iterator[object]:
    for minor in minors():
        modes = {**MODES, **{name: Mode(experiment=name) for name in EXPERIMENTS.get(minor, ())}}
        for name, mode in modes.items():
            yield pytest.param(minor, mode, id=f"1.{minor}-{name}")


@pytest.fixture
def target(start_go: StartGo, minor: int, mode: Mode) -> GoTarget:
    started = start_go(mode, minor=minor)
    for command in ("alloc 200", "chan 50", "churn 2", "stop", "gc", "free", "gc"):
        started.command(command)
    return started


@pytest.mark.parametrize(("minor", "mode"), list(cells()))
class TestEveryBuild:
    def test_code_leads_where_symbols_do(self, target: GoTarget, mode: Mode) -> None:
        program = open_program(identify(target.pid))
        try:
            names = program.layout.recipes.keys()
            voted = by_code(program.elf, program.functions, program.module, program.layout.recipes, names).addresses
            named = by_symbols(program.elf, program.module.bias, names).addresses
        finally:
            program.close()
        assert voted.keys() == names
        assert program.is_stripped == mode.stripped == (not named)
        for name, address in named.items():
            if name != "work" or not mode.experiment:  # an experiment changes the layout of work
                assert voted[name] == address, name

    def test_every_invariant_holds(self, target: GoTarget, mode: Mode) -> None:
        program = open_program(identify(target.pid))
        try:
            checks = verify(program, CounterReader(program))
        finally:
            program.close()
        failed = [check for check in checks if not check.holds]
        assert [check for check in failed if check.guards or not mode.experiment] == []

    def test_at_rest_every_field_is_equal(self, target: GoTarget, mode: Mode) -> None:
        with Watched(target) as watched:
            differ = {}
            for _ in range(TRIES):
                target.command("settle")
                ours = watched.memstats()
                differ = differences(ours, own_memstats(target.stats()))
                if not differ:
                    break
        assert differ == {}

    def test_the_last_cycle_is_known_or_said_to_be_missing(self, target: GoTarget, mode: Mode) -> None:
        with Watched(target) as watched:
            gc = watched.gc()
        if not mode.experiment:
            assert isinstance(gc.last_cycle, Cycle)
        if isinstance(gc.last_cycle, Cycle):
            assert gc.last_cycle.heap_live_bytes == gc.live_after_gc_bytes
            assert 0 < gc.last_cycle.mark_ns <= gc.last_cycle.duration_ns

    def test_under_load_every_total_lies_between_two_looks(self, target: GoTarget, mode: Mode) -> None:
        with Watched(target) as watched:
            target.command("churn", 2)
            for _ in range(10):
                before = watched.memstats()
                theirs = own_memstats(target.stats())
                after = watched.memstats()
                for name in ("TotalAlloc", "Mallocs", "Frees", "NumGC", "PauseTotalNs"):
                    assert getattr(before, name) <= getattr(theirs, name) <= getattr(after, name), name
            target.command("stop")


@pytest.mark.parametrize("mode", ["stripped", "pie-stripped", "race"])
@pytest.mark.parametrize("minor", minors())
def test_every_profile_equals_the_endpoints(start_go: StartGo, minor: int, mode: str) -> None:
    target = start_go(mode, "pprof", minor)
    for command in ("rate 1", "alloc 50", "buckets 300", "churn 1", "stop", "gc", "gc"):
        target.command(command)
    with Watched(target) as watched:
        for _ in range(TRIES):
            ours, theirs, again = watched.profile(), read_heap(target), watched.profile()
            if ours.sites == again.sites:
                break
    assert Counter((site.pcs, site.usage) for site in ours.sites) == theirs.sites
    for site in ours.sites:
        assert shown(site.stack) == theirs.stacks[site.pcs]
