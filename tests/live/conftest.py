"""Go targets of every minor and build mode, and Python targets with an agent in them.

The default test run takes the newest Go and one mode; ``pytest -m matrix`` takes them all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import IO

import pytest

from memdash.errors import MemdashError
from memdash.probes.cpython.agent.agents import Agents
from memdash.probes.cpython.agent.link import AgentLink
from memdash.probes.go.layouts import minors
from memdash.probes.go.layouts.toolchains import Toolchain, obtain
from memdash.process.identity import identify
from tests.live.builds import MODES, Mode, build
from tests.live.hosts import Host, claimed
from tests.live.pythons import Python
from tests.live.target import GoTarget

NEWEST = 27

StartGo = Callable[..., GoTarget]


def every_minor() -> Sequence[object]:
    """As test parameters: the newest by default, all in the matrix."""
    older = [minor for minor in minors() if minor != NEWEST]
    return [NEWEST, *(pytest.param(minor, marks=pytest.mark.matrix) for minor in older)]


def every_build(*modes: str) -> pytest.MarkDecorator:
    """Of the newest minor by default, of all in the matrix."""
    cells = []
    for minor in minors():
        for mode in MODES:
            mark = pytest.mark.live if minor == NEWEST and mode in modes else pytest.mark.matrix
            cells.append(pytest.param(minor, mode, id=f"1.{minor}-{mode}", marks=mark))
    return pytest.mark.parametrize(("minor", "mode"), cells)


def toolchain_for(minor: int) -> Toolchain:
    """The toolchain, or a skip with the reason why there is none."""
    found = _toolchain_or_reason(minor)
    if isinstance(found, str):
        pytest.skip(found)
    return found


@cache
def _toolchain_or_reason(minor: int) -> Toolchain | str:
    """Asked once: fetching a toolchain in vain takes its time."""
    try:
        return obtain(minor)
    except MemdashError as error:
        return f"no toolchain for Go 1.{minor}: {error}; {error.hint}"


@pytest.fixture
def start_go() -> Iterator[StartGo]:
    """Start targets: ``start_go(mode="stripped", flavour="pprof", minor=27)``; they end with the test."""
    started: list[GoTarget] = []

    def start(
        mode: str | Mode = "plain",
        flavour: str = "plain",
        minor: int = NEWEST,
        environment: Mapping[str, str] | None = None,
        stderr: IO[bytes] | None = None,
    ) -> GoTarget:
        program = build(toolchain_for(minor), MODES[mode] if isinstance(mode, str) else mode, flavour)
        target = GoTarget(program, environment, stderr)
        started.append(target)
        return target

    yield start
    for target in started:
        target.kill()


@pytest.fixture
def host(python: Python, agents: Agents) -> Iterator[Host]:
    """With an agent that nobody has taken yet; ``python`` is what a test module takes it to be."""
    with Host(python.executable, agents) as started:
        agents.give_back(claimed(agents, started.pid))
        yield started


@pytest.fixture
def link(host: Host, agents: Agents) -> Iterator[AgentLink]:
    """The line to the agent of ``host``."""
    found = AgentLink(identify(host.pid), agents, None)
    yield found
    found.close()
