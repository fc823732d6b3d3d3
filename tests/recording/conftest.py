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


def watch(clock: FakeClock, seconds: int, interval_s: float = 1.0, **changes: Any) -> list[Moment]:
    """So many looks at a Go server, one a second, whose heap goes up and down; a profile with every twentieth."""
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
        clock.advance(interval_s)
    return moments


@pytest.fixture
def watched(clock: FakeClock) -> Callable[..., list[Moment]]:
    """What so many more looks of a watch see, one a second unless an ``interval_s`` is given."""
    return functools.partial(watch, clock)


@pytest.fixture
def run(writer: Writer, clock: FakeClock) -> int:
    """The number of a run that has begun."""
    return writer.begin(a_target(), clock.now(), 1.0)


def written(path: Path, moments: list[Moment]) -> None:
    """Record them one by one, to the end of their run."""
    writer = Writer(path)
    run = writer.begin(a_target(), moments[0].at, 1.0)
    for moment in moments:
        writer.write(run, [moment])
    writer.end(run)
    writer.close()
