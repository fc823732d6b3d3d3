"""A program asked through its gops agent, against what it tells itself."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from memdash.cli import main
from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.probes.go import GO
from memdash.probes.gops import GOPS
from memdash.probes.gops.answers import memory, text
from memdash.probes.gops.client import Agent, Question
from memdash.probes.probe import Fit, Refusal
from memdash.probes.system import SYSTEM
from memdash.process.identity import identify
from memdash.sampling.clock import SystemClock
from memdash.session.attach import attach
from memdash.session.live import read_once
from tests.live.conftest import StartGo, every_minor
from tests.live.target import GoTarget

pytestmark = pytest.mark.live

AT_REST = (
    "LastGC",
    "NumGC",
    "NumForcedGC",
    "PauseTotalNs",
    "GCCPUFraction",
    "EnableGC",
    "DebugGC",
    "Lookups",
    "NextGC",
)
ONLY_GROW = ("TotalAlloc", "Mallocs", "Frees")


@pytest.fixture(params=every_minor())
def target(request: pytest.FixtureRequest, start_go: StartGo, tmp_path: Path) -> GoTarget:
    return start_go("stripped", "gops", request.param, {"GOPS_CONFIG_DIR": str(tmp_path)})


def test_it_is_found_and_tells_its_version(target: GoTarget) -> None:
    fit = GOPS.fitness(identify(target.pid))
    assert isinstance(fit, Fit)
    assert fit.runtime_version == target.version


def test_what_it_tells_is_what_it_knows(target: GoTarget) -> None:
    target.command("alloc", 100)
    target.command("gc")
    target.command("gc")
    before = target.stats()
    told, gc = memory(text(Agent(identify(target.pid)).ask(Question.MEMSTATS)))
    after = target.stats()
    values = {field.name: getattr(told, field.name) for field in fields(told)}
    assert {name: values[name] for name in AT_REST} == {name: before[name] for name in AT_REST}
    for name in ONLY_GROW:
        assert before[name] <= values[name] <= after[name]
    assert values["HeapAlloc"] == values["Alloc"] <= values["TotalAlloc"]
    missing = {field.name for field in fields(told) if isinstance(values[field.name], Missing)}
    assert missing == {"BySize", "PauseNs", "PauseEnd", "HeapSmall"}
    assert gc.pauses[0].duration_ns == before["PauseNs"][(before["NumGC"] + 255) % 256]


def test_it_fills_what_nothing_else_reads_and_says_what_that_costs(target: GoTarget) -> None:
    target.command("chan", 10)
    snapshot = read_once(identify(target.pid), entries=(GOPS, SYSTEM))
    sample = snapshot.sample
    assert not isinstance(sample.memstats, Missing)
    assert not isinstance(sample.tasks, Missing)
    assert sample.tasks.total == int(target.command("ng"))
    assert {sample.origins[c].source for c in GOPS.capabilities} == {Source.GOPS}
    assert sample.origins[Capability.MEMSTATS].caveats == ("each reading stops it for some 100 µs",)
    assert snapshot.target.runtime_version == target.version


def test_garbage_is_collected_when_asked(target: GoTarget) -> None:
    before = target.stats()["NumForcedGC"]
    deed = attach(identify(target.pid), (GOPS,), SystemClock()).roster.act(Action.FORCE_GC)
    assert (deed.outcome, deed.failed) == ("the program collected its garbage", False)
    assert target.stats()["NumForcedGC"] == before + 1


def test_a_program_without_an_agent_is_refused_without_being_asked(start_go: StartGo) -> None:
    other = start_go("stripped")
    assert isinstance(GOPS.fitness(identify(other.pid)), Refusal)


def test_it_is_asked_on_the_command_line(target: GoTarget, capfd: pytest.CaptureFixture[str]) -> None:
    before = target.stats()["NumForcedGC"]
    assert main(["gc", "--endpoint=gops", "--yes", str(target.pid)]) == 0
    assert capfd.readouterr().out.startswith("force GC: the program collected its garbage in ")
    assert target.stats()["NumForcedGC"] == before + 1
    assert main(["doctor", "--endpoint=auto", str(target.pid)]) == 0
    out = capfd.readouterr().out
    assert f"gops: yes ({target.version})" in out
    assert "gops.heap_profile: read in" in out
    assert "endpoint: no" in out


def test_a_program_without_one_says_so(start_go: StartGo, capfd: pytest.CaptureFixture[str]) -> None:
    other = start_go("stripped")
    assert main(["gc", "--endpoint=gops", "--yes", str(other.pid)]) == 1
    assert capfd.readouterr().err.startswith("memdash: no gops agent has left a port for it\n  try: ")


def test_its_heap_profile_is_that_of_its_memory(target: GoTarget) -> None:
    for command in ("alloc 200", "gc", "gc"):
        target.command(command)
    ours, theirs = (
        read_once(identify(target.pid), entries=entries).sample.sites for entries in ((GO, SYSTEM), (GOPS, SYSTEM))
    )
    assert not isinstance(ours, Missing)
    assert not isinstance(theirs, Missing)
    assert theirs.total == ours.total
    assert theirs.sample_rate_bytes == ours.sample_rate_bytes
