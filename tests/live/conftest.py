"""Go targets of every minor and build mode. The default test run takes one; ``pytest -m matrix`` takes them all."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import IO

import pytest

from memdash.errors import MemdashError
from memdash.probes.go.layouts.toolchains import Toolchain, obtain
from tests.live.builds import MODES, Mode, build
from tests.live.target import GoTarget

NEWEST = 27

StartGo = Callable[..., GoTarget]


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
