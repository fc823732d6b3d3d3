"""The agent in programs that memdash starts, on every interpreter of this machine, against what they say themselves."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest

from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.gc import GcStats
from memdash.model.malloc import Malloc
from memdash.model.memstats import MemStats
from memdash.model.missing import Missing
from memdash.model.profile import Profile
from memdash.model.tasks import Task, TaskKind, Tasks
from memdash.probes.cpython import CPython
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.feed import AgentFeed
from memdash.probes.cpython.agent.link import AgentLink
from memdash.probes.cpython.agent.told import malloc
from memdash.probes.registry import PROBES, probes_with
from memdash.process.identity import identify
from memdash.tables.headline import headline
from memdash.units import MIB
from tests.live.following import Following
from tests.live.hosts import Host, claimed
from tests.live.pythons import Python, each
from tests.waiting import until

pytestmark = pytest.mark.live


python = each((8, 12, 15))


def test_a_watch_of_what_memdash_started_forces_a_collection(host: Host, agents: Agents) -> None:
    host.command("disable")
    host.command("cycles", 5000)
    with Following(host.pid, probes_with(agents)) as watch:
        offered = watch.until(lambda shown: isinstance(shown.actions.get(Action.FORCE_GC), str))
        assert isinstance(offered.actions[Action.LOAD_AGENT], Missing)
        shown = watch.until(lambda shown: shown.sample.origins[Capability.MEMSTATS].source is Source.AGENT)
        assert headline(shown).source == "memory + agent"
        watch.live.act(Action.FORCE_GC)
        line = watch.until_told("force GC")
        watch.live.act(Action.TRIM)
        assert re.match(r"trim: (memory given back|nothing to give back) in ", watch.until_told("trim: "))
    found = re.fullmatch(
        r"force GC: ([\d ]+) objects collected in .* · HeapAlloc .* → .* · HeapObjects ([\d ]+) → ([\d ]+) · RSS .*",
        line,
    )
    assert found, line
    number, before, after = (int(digits.replace(" ", "")) for digits in found.groups())
    assert 5000 <= number < 6000
    assert before - after > 5000


def test_a_watch_of_what_runs_already_brings_it_in_and_takes_it_out(python: Python) -> None:
    with Host(python.executable, None) as host:
        host.told("malloc")  # newer versions of libffi keep a descriptor of their own
        before = host.told("house")
        with Following(host.pid, PROBES) as watch:
            watch.until(lambda shown: isinstance(shown.actions.get(Action.LOAD_AGENT), str))
            watch.live.act(Action.LOAD_AGENT)
            watch.until(lambda shown: isinstance(shown.actions.get(Action.FORCE_GC), str))
            watch.live.act(Action.FORCE_GC)
            assert " objects collected in " in watch.until_told("force GC: ")
        until(lambda: host.told("house") == before)


def test_pauses_and_malloc_reach_the_probes(
    host: Host, agents: Agents, python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memdash.probes.cpython.agent.feed._PATIENCE_S", 10.0)
    attachment = CPython(launched=agents).attach(identify(host.pid))

    def read(kind: type) -> object:
        return next(fact for probe in attachment.probes for fact in probe.read().facts if isinstance(fact, kind))

    try:
        read(GcStats)
        host.command("measure")
        for generation in (0, 1, 2, 0):
            host.command("cycles", 20)
            host.command("collect", generation)
        theirs = [ended_ns - began_ns for began_ns, ended_ns in host.told("measured")]
        gc, memstats, held = read(GcStats), read(MemStats), read(Malloc)
        assert isinstance(gc, GcStats)
        assert isinstance(memstats, MemStats)
        assert isinstance(held, Malloc)
        assert isinstance(memstats.HeapSmall, int)
        assert isinstance(held.in_use_bytes, int)
        assert memstats.HeapAlloc == memstats.Alloc == memstats.HeapSmall + held.in_use_bytes
        assert isinstance(memstats.LastGC, int)
        assert abs(memstats.LastGC / 1e9 - time.time()) < 60
        if python.minor < 15:
            newest = [pause.duration_ns for pause in gc.pauses[: len(theirs)]][::-1]
            assert len(newest) == len(theirs) >= 4
            # ours begin before theirs and end before them, by the time that a callback takes
            pairs = zip(newest, theirs, strict=True)
            assert all(abs(mine - other) < max(0.5 * other, 500_000) for mine, other in pairs)
            assert memstats.PauseNs == tuple(pause.duration_ns for pause in gc.pauses)
            assert memstats.PauseTotalNs == gc.pause_total_ns == sum(memstats.PauseNs)
            assert any("pauses are timed since" in caveat for caveat in attachment.probes[0].read().caveats)
    finally:
        for actor in attachment.actors:
            actor.close()
        for probe in attachment.probes:
            probe.close()
    assert host.told("house")["callbacks"] == 0


def test_malloc_is_what_mallinfo_says_and_has_no_part_in_arenas(host: Host, link: AgentLink) -> None:
    def figures() -> Malloc:
        return link.ask("malloc", 10.0, malloc).value

    own = host.told("malloc")
    if own is None:
        pytest.skip("the C library has no mallinfo2")
    found = figures()
    assert isinstance(found.in_use_bytes, int)
    assert found.in_use_bytes == pytest.approx(sum(own), abs=256 * 1024)
    assert found.mapped_bytes == pytest.approx(own[0], abs=256 * 1024)
    host.command("keep", 400_000)  # 40 MB of small objects, and a list of 3 MB
    kept = figures()
    assert isinstance(kept.in_use_bytes, int)
    assert 0 <= kept.in_use_bytes - found.in_use_bytes < 8 * MIB
    host.command("block", 50 * MIB)
    grown = figures()
    assert isinstance(grown.in_use_bytes, int)
    assert grown.in_use_bytes - kept.in_use_bytes == pytest.approx(50 * MIB, abs=MIB)


@pytest.mark.parametrize("debug", [0, 1])
def test_tasks_stand_where_they_wait(host: Host, link: AgentLink, debug: int) -> None:
    feed = AgentFeed(link)
    host.command("loop", debug)
    expected = {"start_loop.<locals>.crowd": 1, "start_loop.<locals>.wait_for": 40, "sleep": 1}

    def groups() -> dict[str, Task]:
        link.deeds += 1  # or it would not be asked before a second is over
        return {task.stack[-1].function: task for task in feed.others() if task.stack and task.state == "waiting"}

    until(lambda: {name: task.count for name, task in groups().items()} == expected)
    waiting = groups()["start_loop.<locals>.wait_for"]
    assert waiting.kind is TaskKind.ASYNCIO
    assert waiting.state == "waiting"
    assert [frame.function for frame in waiting.stack] == ["Event.wait", "start_loop.<locals>.wait_for"]
    assert waiting.name.startswith("Task-")
    if debug:
        assert not isinstance(waiting.created_by, Missing)
        assert waiting.created_by.function in ("<listcomp>", "crowd")
        assert waiting.created_by.file.endswith("host.py")
    else:
        assert isinstance(waiting.created_by, Missing)


def test_threads_go_by_the_names_that_python_gives_them(host: Host, link: AgentLink) -> None:
    feed = AgentFeed(link)
    host.command("loop", 0)

    def names() -> set[str]:
        link.deeds += 1  # one answer that comes too late is not the end of it
        return set(feed.names().values())

    until(lambda: names() == {"MainThread", "the loop", "memdash's agent"})


def test_the_agent_itself_is_neither_among_the_threads_nor_among_the_sites(agents: Agents) -> None:
    python, tracing = Path(sys.executable).resolve(), {"PYTHONTRACEMALLOC": "1"}
    with Host(python, agents, tracing) as host, Following(host.pid, probes_with(agents)) as watch:
        shown = watch.until(
            lambda shown: not isinstance(shown.sample.sites, Missing) and not isinstance(shown.sample.tasks, Missing)
        )
        assert isinstance(shown.sample.sites, Profile)
        assert isinstance(shown.sample.tasks, Tasks)
        held = {site.leaf.file: site.usage.inuse_bytes for site in shown.sample.sites.sites}
        assert "<memdash>" not in held
        assert held.get("<string>", 0) < 4096  # that of named tuples
        assert any("memdash's own agent" in caveat for caveat in shown.sample.origins[Capability.SITES].caveats)
        assert not [task for task in shown.sample.tasks.groups if task.stack and task.stack[-1].file == "<memdash>"]
        assert shown.sample.tasks.hidden == 1


def test_what_is_left_behind_is_nothing(host: Host, agents: Agents) -> None:
    own = {"callbacks": 0, "threads": 1, "descriptors": [0, 1, 2], "attribute": False, "known threads": 1}
    ours = {"threads": 2, "descriptors": [0, 1, 2, 200, 201, 202], "attribute": True}
    assert host.told("house") == {**own, **ours}
    peer = claimed(agents, host.pid)
    peer.ask("time", 10.0)
    assert host.told("house")["callbacks"] == 1
    peer.close()
    until(lambda: host.told("house")["threads"] == 1)
    assert host.told("house") == own
