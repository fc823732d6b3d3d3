"""The sampler's counts as a profile."""

from __future__ import annotations

import os
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest

from memdash.errors import AgentUnreachable, BadRead, TimedOut
from memdash.model.memstats import MemStats
from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame, Usage, sampling_error
from memdash.model.target import Target
from memdash.probes.cpython.agent.told import places, sampling, unsampled
from memdash.probes.cpython.probes import PymallocProbe
from memdash.probes.cpython.sampler.cost import Cost, Counted
from memdash.probes.cpython.sampler.readings import SamplerFeed
from memdash.probes.cpython.sampler.sites import Sampled, SampledSites
from memdash.probes.cpython.sampler.tables import Header
from memdash.process.identity import identify
from memdash.process.memory import ProcessMemory
from tests.probes.cpython.sampler.handmade import Counts, Handmade

T = TypeVar("T")

FILES = ["/srv/shop/cart.py", "<memdash>", "<frozen importlib._bootstrap>", "/usr/lib/python3.14/ctypes/__init__.py"]
PLACES = [
    *[(0, "Store.add", 40), (0, "<module>", 3), (1, "answer", 9), (2, "_load", 1), (0, "Store.add", 40)],
    (3, "<module>", 7),
]
"""The fifth is the same line as the first, at another byte."""


class Agent:
    """Names places as the agent does, at most two at a time."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.is_late = False

    def ask(self, deed: str, patience_s: float, understood: Any, *, after: int, most: int, start: int) -> Any:
        assert (deed, start, bool(patience_s)) == ("places", 1, True)
        self.asked.append((after, most))
        if self.is_late:
            raise TimedOut("it is busy")
        rows = [list(row) for row in PLACES[after : after + min(most, 2)]]
        return understood({"files": FILES, "rows": rows})


@pytest.fixture
def agent() -> Agent:
    return Agent()


def us() -> tuple[Target, Any]:
    """This process, and as much of its interpreter as is wanted."""
    return identify(os.getpid()), SimpleNamespace(memory=ProcessMemory(os.getpid()), version=SimpleNamespace(minor=13))


def sites_of(made: Handmade, agent: Agent) -> SampledSites:
    return SampledSites(*us(), cast("Any", agent), made.at("header"))


def done(work: Generator[None, None, T]) -> T:
    while True:
        try:
            next(work)
        except StopIteration as end:
            value: T = end.value
            return value


def read(sites: SampledSites) -> Sampled:
    return done(sites.read())


def test_stacks_become_sites(agent: Agent) -> None:
    made = Handmade()
    made.count(0, Counts((2, 4, 900)))
    made.add([0, 1], Counts((5, 50, 5000), (2, 20, 2000)))
    sampled = read(sites_of(made, agent))
    outer = Frame("cart.<module>", "/srv/shop/cart.py", 3)
    assert {site.stack: site.usage for site in sampled.profile.sites} == {
        (Frame("(no Python code runs)", "", 0),): Usage(900, 4, 900, 4),
        (Frame("cart.Store.add", "/srv/shop/cart.py", 40), outer): Usage(3000, 30, 5000, 50),
    }
    assert sampled.profile.sample_rate_bytes == 65536
    assert sampled.profile.no_alloc is None


def test_names_are_asked_for_once(agent: Agent) -> None:
    made = Handmade()
    sites = sites_of(made, agent)
    made.add([0, 1], Counts((1, 1, 1)))
    read(sites)
    made.add([4, 1], Counts((1, 1, 1)))
    sampled = read(sites)
    read(sites)
    assert [after for after, _ in agent.asked] == [0, 2, 4]
    first, second = sampled.profile.sites
    assert first.stack == second.stack
    assert first.stack[0] is second.stack[0], "shared, since there are many"


def test_a_site_that_has_not_changed_is_the_same_object(agent: Agent) -> None:
    made = Handmade()
    made.add([0, 1], Counts((1, 1, 100)))
    busy = made.add([1], Counts((1, 1, 100)))
    sites = sites_of(made, agent)
    before = read(sites).profile.sites
    made.count(busy, Counts((2, 2, 200)))
    after = read(sites).profile.sites
    assert after[0] is before[0]
    assert after[1].usage.alloc_bytes == 200


def test_what_the_agent_itself_holds_is_left_out_and_told(agent: Agent) -> None:
    made = Handmade()
    made.add([3, 2], Counts((1, 1, 700)))
    made.add([5, 3, 2], Counts((1, 1, 70)))
    made.add([0, 2], Counts((1, 1, 100)))
    sampled = read(sites_of(made, agent))
    assert sampled.own_bytes == 770, "of what it imports, too"
    assert [site.leaf.function for site in sampled.profile.sites] == ["cart.Store.add"], "it runs code of the program"


def test_counters_that_are_read_in_between_never_tell_less_than_nothing(agent: Agent) -> None:
    made = Handmade()
    made.add([0], Counts((1, 1, 100), (1, 2, 300)))
    (site,) = read(sites_of(made, agent)).profile.sites
    assert site.usage == Usage(0, 0, 100, 1)


def test_until_there_are_names_there_is_no_profile(agent: Agent) -> None:
    made = Handmade()
    made.add([0], Counts((1, 1, 100)))
    sites = sites_of(made, agent)
    agent.is_late = True
    with pytest.raises(TimedOut):
        read(sites)
    agent.is_late = False
    assert len(read(sites).profile.sites) == 1


def test_what_has_no_name_yet_is_one_site(agent: Agent) -> None:
    made = Handmade()
    sites = sites_of(made, agent)
    made.add([0], Counts((1, 1, 100)))
    assert len(read(sites).profile.sites) == 1
    agent.is_late = True
    made.add([3], Counts((1, 1, 700), (1, 1, 300)))
    made.add([4, 3], Counts((2, 2, 30)))
    known, unknown = read(sites).profile.sites
    assert (known.leaf.function, unknown.leaf.file) == ("cart.Store.add", "")
    assert unknown.usage == Usage(430, 2, 730, 3)
    agent.is_late = False
    assert [site.usage.inuse_bytes for site in read(sites).profile.sites] == [100, 400, 30]


@pytest.mark.parametrize("after", [{"enabled": 0}, {"started_ns": 2}])
def test_what_is_ended_while_it_is_read_is_no_profile(
    agent: Agent, after: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its counters may be nought already, or another sampling's."""
    made = Handmade()
    made.add([0], Counts((1, 1, 100)))
    sites = sites_of(made, agent)
    read(sites)
    counters = sites.tables.counters

    def ended(header: Header) -> memoryview:
        rows = counters(header)
        for name, value in after.items():
            setattr(made, name, value)
        made.write()
        return rows

    monkeypatch.setattr(sites.tables, "counters", ended)
    with pytest.raises(BadRead, match="while it was read"):
        read(sites)


def test_what_has_been_switched_off_is_no_profile(agent: Agent) -> None:
    with pytest.raises(BadRead):
        read(sites_of(Handmade(enabled=0), agent))


@pytest.mark.parametrize(
    ("at", "made", "total"),
    [
        (Missing("nobody has asked"), Handmade(), "what ever was, unless its allocations are sampled"),
        (0, Handmade(consumed=(1000, 50)), 1050),
        (0, Handmade(consumed=(1000, 50), domains=4), "only some of its allocators are sampled"),
        (0, Handmade(magic=b"memdashT"), "is none"),
    ],
)
def test_what_was_asked_for_in_all_is_told_or_why_not(
    agent: Agent, at: Maybe[int], made: Handmade, total: int | str
) -> None:
    (target, interpreter), not_here = us(), Missing("it is not read here")
    switch = SimpleNamespace(header_at=lambda: at if isinstance(at, Missing) else made.at("header"))
    feed = SamplerFeed(target, interpreter, cast("Any", agent), cast("Any", switch))
    no_malloc: Any = SimpleNamespace(malloc=lambda: not_here)
    stats = PymallocProbe(interpreter, not_here, not_here, no_malloc, feed).read().facts[0]
    assert isinstance(stats, MemStats)
    found = stats.TotalAlloc
    assert found.why.endswith(str(total)) if isinstance(found, Missing) else found == total


@pytest.mark.parametrize(
    "told",
    [
        {"files": "x", "rows": []},
        {"files": [], "rows": [[0, "f", 1]]},
        {"files": ["a"], "rows": [[-1, "f", 1]]},
        {"files": ["a"], "rows": [[0, 7, 1]]},
        {"files": ["a"], "rows": [[0, "f"]]},
        {"files": [None], "rows": [[0, "f", 1]]},
        {},
    ],
)
def test_names_that_make_no_sense_are_refused(told: dict[str, object]) -> None:
    with pytest.raises(AgentUnreachable):
        places(told)


def test_answers_that_make_no_sense_are_refused() -> None:
    for told in ({}, {"header": -1}, {"header": "x"}, {"why": 3}):
        with pytest.raises(AgentUnreachable):
            sampling(told)
    assert unsampled({"left": 4}).startswith("what others have hooked since")


def test_the_error_is_that_of_random_samples() -> None:
    """Of 100 samples a tenth; of blocks much larger than the rate nothing, since each of them is sampled."""
    assert sampling_error(100 * 65536, 100 * 4096, 65536) == pytest.approx(0.1, rel=0.01)
    assert sampling_error(10 << 20, 1, 65536) < 1e-9
    assert sampling_error(5000, 1, 1) == sampling_error(0, 0, 65536) == 0


def test_the_cost_follows_from_calls_and_samples() -> None:
    cost = Cost()
    assert cost.share(Counted(0.0, 0, 1500, 0)) is None
    measured = (20e6 * 1.5e-9 + 170e-6) / 2
    assert cost.share(Counted(2.0, 20_000_000, 1500, 170_000)) == pytest.approx(measured)
    assert cost.share(Counted(2.1, 90_000_000, 1500, 170_000)) == pytest.approx(measured), "too soon to tell"
    assert cost.share(Counted(4.0, 5, 1500, 340_000)) == pytest.approx(170e-6 / 2), "calls are told by samples"
    assert cost.share(Counted(6.0, 5, 1500, 0)) is None, "another sampling"
