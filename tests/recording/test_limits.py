"""How a recording stays within its limits, and what is left of it then."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.model.capability import Capability
from memdash.model.memstats import MemStats
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.recording.moment import Moment
from memdash.recording.pruning import Limits
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer
from tests.fakes import FakeClock, a_target, memstats

Watched = Callable[..., list[Moment]]
KIB = 1 << 10


def a_different_profile(number: int) -> Profile:
    """One that has little in common with others."""
    sites = tuple(
        Site((Frame(f"f{number * 7919 + place}", "/a.go", place),), Usage(place * number, number, 1, 1))
        for place in range(60)
    )
    return Profile(sites, 524_288, True)


def a_random_heap(chance: random.Random) -> MemStats:
    """One that nothing can make smaller."""
    return memstats(PauseNs=tuple(chance.randrange(1 << 40) for _ in range(60)))


@pytest.fixture
def filled(path: Path, watched: Watched, clock: FakeClock) -> Iterator[Callable[[Limits, int], Recording]]:
    """A recording of so many minutes within limits."""
    opened: list[Recording] = []

    def fill(limits: Limits, minutes: int) -> Recording:
        writer, chance = Writer(path, limits), random.Random(3)
        run = writer.begin(a_target(), clock.now(), 1.0)
        for minute in range(minutes):
            profile = a_different_profile(minute)
            for moment in watched(6):
                sample = replace(moment.sample, sites=profile, memstats=a_random_heap(chance))
                writer.write(run, [replace(moment, sample=sample)], keep=True)
            clock.advance(54.0)
        writer.end(run)
        writer.close()
        opened.append(Recording.open(path))
        return opened[-1]

    yield fill
    for recording in opened:
        recording.close()


def test_a_recording_stays_as_large_as_it_may_be(
    path: Path, filled: Callable[[Limits, int], Recording], clock: FakeClock
) -> None:
    recording = filled(Limits(max_bytes=160 * KIB), 80)
    assert path.stat().st_size <= 180 * KIB
    until_s = clock.now().mono_s
    coarse = recording.series("HeapAlloc", 0.0, until_s)
    fine = recording.series("HeapAlloc", until_s - 600, until_s)
    facts = recording.facts(Capability.SITES, 0, 1e11, most=1000)
    moments = list(recording.moments(0, 1e11))
    assert len(coarse) == 80, "the series go last"
    assert len(fine) == 60
    assert 30 < len(moments) < 480, "the oldest have gone"
    assert moments[-1].at == recording.until
    assert moments[0].at == recording.since
    assert 1 < len(facts) < 80
    assert facts[-1].fact == a_different_profile(79)


def test_what_is_too_old_goes(filled: Callable[[Limits, int], Recording], clock: FakeClock) -> None:
    recording = filled(Limits(max_age_s=1800.0), 70)
    began_s = clock.now().mono_s - 1800 - 120
    assert recording.since.mono_s >= began_s
    assert recording.series("HeapAlloc", 0.0, clock.now().mono_s).times_s[0] >= began_s - 3600
    facts = recording.facts(Capability.SITES, 0, 1e11, most=1000)
    assert 30 <= len(facts) < 70
