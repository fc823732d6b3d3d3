"""The agent in programs that memdash starts, on every interpreter of this machine, against what they say themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from memdash.model.action import Action
from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.launch import agents_of_ours, environment_for
from memdash.probes.registry import probes_with
from memdash.tables.headline import headline
from tests.live.following import Following
from tests.live.pythons import Python, readable
from tests.live.target import PythonTarget

pytestmark = pytest.mark.live


@pytest.fixture(params=readable())
def python(request: pytest.FixtureRequest) -> Python:
    found: Python = request.param
    return found


@pytest.fixture
def agents() -> Iterator[Agents]:
    with agents_of_ours() as listening:
        yield listening


def test_a_watch_of_what_memdash_started_forces_a_collection(python: Python, agents: Agents) -> None:
    with PythonTarget(python.executable, environment_for(agents)) as target:
        target.command("disable")
        target.command("cycles", 5000)
        with Following(target.pid, probes_with(agents)) as watch:
            offered = watch.until(lambda shown: isinstance(shown.actions.get(Action.FORCE_GC), str))
            assert isinstance(offered.actions[Action.LOAD_AGENT], Missing)
            shown = watch.until(lambda shown: shown.sample.origins[Capability.MEMSTATS].source is Source.AGENT)
            assert headline(shown).source == "memory + agent"
            watch.live.act(Action.FORCE_GC)
            line = watch.until_told("force GC")
    found = re.fullmatch(
        r"force GC: ([\d ]+) objects collected in .* · HeapAlloc .* → .* · HeapObjects ([\d ]+) → ([\d ]+) · RSS .*",
        line,
    )
    assert found, line
    collected, before, after = (int(digits.replace(" ", "")) for digits in found.groups())
    assert 5000 <= collected < 6000
    assert before - after > 5000
