"""Collections that memdash forces by itself before a limit is reached, in real programs and by what they count."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from memdash.analysis import relief
from memdash.model.action import Action
from memdash.model.finding import Severity
from memdash.model.missing import Missing
from memdash.model.relief import OVER_LIMIT, GcAt
from memdash.model.snapshot import Snapshot
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.endpoint import Endpoint
from memdash.probes.registry import PROBES, probes_with
from memdash.units import MIB
from tests.live.conftest import StartGo
from tests.live.following import Following
from tests.live.hosts import Host, claimed
from tests.live.target import GoTarget

pytestmark = pytest.mark.live

LIMIT = 64 * MIB


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relief, "_SETTLED_S", 0.3)
    monkeypatch.setattr(relief, "_GIVEN_BACK_S", 0.3)


def fill(target: GoTarget, mib: int) -> None:
    """Make it hold so much in all."""
    target.command("free")
    target.command("freeos")
    target.command("alloc", 16 * mib)


def test_a_go_program_collects_before_its_limit_and_twice_at_it(start_go: StartGo) -> None:
    target = start_go("stripped", "pprof", environment={"GOMEMLIMIT": str(LIMIT), "GOGC": "off"})
    fill(target, 52)
    target.command("free")  # all of it is garbage now, and nothing collects it
    before = target.stats()["NumForcedGC"]
    with Following(target.pid, probes_with(asked=(Endpoint(),)), GcAt(ratio=0.8, cooldown_s=600.0)) as watch:
        line = watch.until_told("force GC by gc-at, ")
        told = re.fullmatch(
            r"force GC by gc-at, (\d+) % of GOMEMLIMIT in use: the program collected its garbage in .*"
            r" · freed ([\d.]+) MiB · HeapAlloc .* → .* · RSS .*",
            line,
        )
        assert told, line
        assert 80 <= int(told[1]) < 100
        assert 50 <= float(told[2]) < 64
        assert target.stats()["NumForcedGC"] == before + 1
        shown = watch.until(lambda shown: shown.relief is not None and shown.relief.rounds == 1)
        assert any("gc-at 80 % of GOMEMLIMIT of 64.0 MiB: armed" in finding.summary for finding in shown.findings)

        target.command("alloc", 16 * 70)  # and that lives
        shown = watch.until(lambda shown: shown.worst is not None and shown.worst.rule == OVER_LIMIT)
        assert shown.worst is not None
        assert shown.worst.severity is Severity.WARNING
        assert re.match(
            r"[\d.]+ MiB in use, over GOMEMLIMIT of 64.0 MiB: 2 forced collections freed ", shown.worst.summary
        )
        assert target.stats()["NumForcedGC"] == before + 3

        target.command("free")
        target.command("freeos")
        watch.until(lambda shown: over(shown) is not None and not held(shown))


def over(shown: Snapshot) -> float | None:
    """When it was found to be over no more."""
    return next((finding.ended_at_s for finding in shown.findings if finding.rule == OVER_LIMIT), None)


def held(shown: Snapshot) -> bool:
    return shown.worst is not None and shown.worst.rule == OVER_LIMIT


def test_where_there_is_no_way_that_is_told_once_and_nothing_is_done(start_go: StartGo) -> None:
    target = start_go("stripped", environment={"GOMEMLIMIT": str(LIMIT), "GOGC": "off"})
    fill(target, 52)
    before = target.stats()["NumForcedGC"]
    with Following(target.pid, PROBES, GcAt(ratio=0.5)) as watch:
        line = watch.until_told("gc-at 50 % cannot be done: ")
        assert "--endpoint auto" in line
        for _ in range(8):
            shown = watch.until(lambda shown: shown.relief is not None)
    assert sum("cannot be done" in finding.summary for finding in shown.findings) == 1
    assert target.stats()["NumForcedGC"] == before


def test_a_python_program_collects_and_trims(agents: Agents) -> None:
    with Host(Path(sys.executable), agents) as host:
        agents.give_back(claimed(agents, host.pid))
        host.command("disable")
        host.command("cycles", 200_000)
        plan = GcAt(ratio=0.5, cooldown_s=600.0, limit_bytes=40 * MIB)
        with Following(host.pid, probes_with(agents), plan) as watch:
            line = watch.until_told("trim by gc-at, ")
            shown = watch.live.snapshot()
        assert re.match(r"trim by gc-at, \d+ % of the limit in use: memory given back in ", line)
        deeds = [finding for finding in shown.findings if "cause" in finding.evidence]
        (trim, *collections) = deeds
        assert trim.evidence["action"] == Action.TRIM.value
        assert {finding.evidence["action"] for finding in collections} == {Action.FORCE_GC.value}
        assert len(collections) in (1, 2)  # two where the program alone takes more than the limit
        first = collections[-1].evidence
        assert isinstance(first["freed_bytes"], int)
        assert first["freed_bytes"] > 10 * MIB
        assert shown.relief is not None
        assert not isinstance(shown.relief.way, Missing)
