"""A watch of a few minutes, written into a recording."""

import functools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memdash.model.snapshot import State
from memdash.recording.moment import Moment
from memdash.recording.writer import Writer
from memdash.units import MIB
from tests.fakes import FakeClock, a_gc, a_profile, a_sample, a_system, a_target, memstats


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a recording may be made."""
    return tmp_path / "run.mdr"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    """Writes into ``path``."""
    writer = Writer(path)
    yield writer
    writer.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def watch(clock: FakeClock, seconds: int, **changes: Any) -> list[Moment]:
    """So many seconds of a Go server whose heap goes up and down; a profile every 20 s."""
    chance, past, moments, profile = random.Random(seconds), 0, [], a_profile()
    for second in range(seconds):
        if second % 20 == 0:
            profile = a_profile(1 + second / 1000)
        past += chance.randrange(200 * MIB)
        heap = memstats(300 * MIB + chance.randrange(90 * MIB), TotalAlloc=past)
        system = a_system(rss_bytes=500 * MIB + 4096 * chance.randrange(3000))
        at = clock.now()
        sample = a_sample(at, heap, a_gc(), system, profile, **changes)
        moments.append(Moment(at=at, state=State.LIVE, sample=sample))
        clock.advance(1.0)
    return moments


@pytest.fixture
def watched(clock: FakeClock) -> Callable[..., list[Moment]]:
    """What so many more seconds of a watch see."""
    return functools.partial(watch, clock)


@pytest.fixture
def run(writer: Writer, clock: FakeClock) -> int:
    """The number of a run that has begun."""
    return writer.begin(a_target(), clock.now(), 1.0)
