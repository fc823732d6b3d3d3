"""How a recording stays within its limits, and what is left of it then."""

import contextlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.model.capability import Capability, Source
from memdash.model.finding import Figure, Finding, Severity
from memdash.model.memstats import MemStats
from memdash.model.profile import Frame, Profile, Site, Usage
from memdash.model.sample import Instant, Origin
from memdash.recording.moment import Moment
from memdash.recording.pruning import Limits
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer
from memdash.units import Unit
from tests.fakes import FakeClock, a_target, memstats

Watched = Callable[..., list[Moment]]
KIB = 1 << 10


def a_different_profile(number: int) -> Profile:
    """One that has little in common with others."""
    sites = tuple(
        Site((Frame(f"f{number * 7919 + place}", "/a.go", place),), Usage(place * number, number, 1, 1))
        for place in range(150)
    )
    return Profile(sites, 524_288, True)


def a_random_heap(chance: random.Random) -> MemStats:
    """One that nothing can make smaller."""
    return memstats(PauseNs=tuple(chance.randrange(1 << 40) for _ in range(120)))


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
    recording = filled(Limits(max_bytes=180 * KIB), 60)
    assert path.stat().st_size <= 210 * KIB
    until_s = clock.now().mono_s
    coarse = recording.series("HeapAlloc", 0.0, until_s)
    fine = recording.series("HeapAlloc", until_s - 600, until_s)
    facts = recording.facts(Capability.SITES, 0, 1e11, most=1000)
    moments = list(recording.moments(0, 1e11))
    assert len(coarse) == 60, "the series go last"
    assert len(fine) == 60
    assert 30 < len(moments) < 360, "the oldest have gone"
    assert moments[-1].at == recording.until
    assert moments[0].at == recording.since
    assert 1 < len(facts) < 60
    assert facts[-1].fact == a_different_profile(59)


def test_what_is_said_of_a_watch_stays_within_the_limits_too(path: Path, watched: Watched, clock: FakeClock) -> None:
    """A rule that comes and goes, marks, and a capability that is read from here and there in turns."""
    writer, limits, number = Writer(path, Limits(max_bytes=180 * KIB)), 210 * KIB, 0
    run = writer.begin(a_target(), clock.now(), 1.0)
    for _ in range(40):
        for moment in watched(4):
            number += 1
            source = (Source.MEMORY, Source.ENDPOINT)[number % 2]
            origins = {**moment.sample.origins, Capability.MEMSTATS: Origin(source, moment.at)}
            findings = [
                Finding(
                    rule="r", severity=Severity.INFO, at_s=moment.at.wall_s, summary=f"{number * 20 + place} is over"
                )
                for place in range(20)
            ]
            findings = [replace(finding, ended_at_s=finding.at_s) for finding in findings]
            writer.write(run, [replace(moment, sample=replace(moment.sample, origins=origins))], findings)
            writer.mark(run, moment.at, f"{number} " + "before the load test " * 20)
        clock.advance(56.0)
    writer.close()
    assert path.stat().st_size <= limits
    with contextlib.closing(Recording.open(path)) as recording:
        found = [finding for finding in recording.findings(1e11) if finding.rule == "r"]
        marks = recording.marks()
        moments = list(recording.moments(0, 1e11))
    assert 100 < len(found) < 20 * number
    assert found[0].summary.startswith(f"{number * 20 + 19} ")
    assert marks[-1].note.startswith(f"{number} ")
    assert 1 < len(marks) < number
    assert len(moments) > 20, "they give way as well, but not all"
    with contextlib.closing(sqlite3.connect(path)) as database:
        ((sources,),) = database.execute("SELECT count(*) FROM source WHERE capability = 'memstats'")
    assert sources < number


def test_runs_of_which_nothing_is_left_go_too(path: Path, watched: Watched, clock: FakeClock) -> None:
    for number in range(12):
        writer = Writer(path, Limits(max_bytes=80 * KIB), appends=True)
        run = writer.begin(a_target(), clock.now(), 1.0)
        chance = random.Random(number)
        for _ in range(3):
            for moment in watched(4):
                writer.write(run, [replace(moment, sample=replace(moment.sample, memstats=a_random_heap(chance)))])
            clock.advance(56.0)
        writer.end(run)
        writer.close()
        clock.advance(600.0)
    with contextlib.closing(Recording.open(path)) as recording:
        left = [run.number for run in recording.runs]
    assert left[-1] == 12
    assert len(left) < 10
    with contextlib.closing(sqlite3.connect(path)) as database:
        for table in ("alike", "source", "finding", "mark"):
            assert {run for (run,) in database.execute(f"SELECT run FROM {table}")} <= set(left)  # noqa: S608


def test_what_is_too_old_goes(filled: Callable[[Limits, int], Recording], clock: FakeClock) -> None:
    recording = filled(Limits(max_age_s=900.0), 40)
    began_s = clock.now().mono_s - 900 - 120
    assert recording.since.mono_s >= began_s
    assert recording.series("HeapAlloc", 0.0, clock.now().mono_s).times_s[0] >= began_s - 3600
    facts = recording.facts(Capability.SITES, 0, 1e11, most=1000)
    assert 15 <= len(facts) < 40


def test_a_clock_that_jumps_ahead_makes_nothing_old(path: Path, watched: Watched, clock: FakeClock) -> None:
    writer = Writer(path, Limits(max_age_s=3600.0))
    run = writer.begin(a_target(), clock.now(), 1.0)
    moments = watched(70)
    clock.wall_s += 56 * 365 * 86_400
    moments += watched(70)
    for moment in moments:
        writer.write(run, [moment])
    writer.close()
    recording = Recording.open(path)
    assert [moment.at.mono_s for moment in recording.moments(0, 1e11)] == [moment.at.mono_s for moment in moments]
    assert recording.instant_at(moments[120].at.wall_s) == moments[120].at
    assert recording.instant_at(moments[40].at.wall_s) == moments[40].at
    recording.close()


def test_a_clock_that_is_set_back_leaves_the_order(path: Path, watched: Watched, clock: FakeClock) -> None:
    writer = Writer(path)
    run = writer.begin(a_target(), clock.now(), 1.0)
    moments = watched(90)
    clock.wall_s -= 3600
    moments += watched(90)
    for moment in moments:
        writer.write(run, [moment])
    writer.close()
    recording = Recording.open(path)
    assert [moment.at for moment in recording.moments(0, 1e11)] == [moment.at for moment in moments]
    for moment in moments[::20]:
        assert recording.instant_at(moment.at.wall_s) == moment.at
    assert recording.until == moments[-1].at
    recording.close()


def test_a_run_of_long_ago_goes_as_a_whole(path: Path, watched: Watched, clock: FakeClock) -> None:
    for _ in range(2):
        writer = Writer(path, Limits(max_age_s=600.0), appends=True)
        run = writer.begin(a_target(), clock.now(), 1.0)
        for moment in watched(70):
            writer.write(run, [moment])
        writer.end(run)
        writer.close()
        clock.advance(86_400.0)
    recording = Recording.open(path)
    assert [run.number for run in recording.runs] == [2]
    assert len(list(recording.moments(0, 1e11))) == 70
    recording.close()


def test_runs_beside_each_other_lose_alike(path: Path, watched: Watched, clock: FakeClock) -> None:
    """Also of the facts, whose numbers are not given again: what was written against one that has gone is not read."""
    writer, chance = Writer(path, Limits(max_bytes=360 * KIB)), random.Random(1)
    runs = [writer.begin(a_target(pid=pid), clock.now(), 1.0) for pid in (100, 200)]
    for minute in range(60):
        for moment in watched(6):
            for run in runs:
                profile = a_different_profile(2 * minute + run)
                sample = replace(moment.sample, sites=profile, memstats=a_random_heap(chance))
                writer.write(run, [replace(moment, sample=sample)], keep=True)
        clock.advance(54.0)
    for run in runs:
        writer.end(run)
    writer.close()
    begins, facts, series = [], [], []
    for run in runs:
        with contextlib.closing(Recording.open(path, run)) as recording:
            begins.append(recording.since.mono_s)
            facts.append(len(recording.facts(Capability.SITES, 0, 1e11, most=1000)))
            series.append(len(recording.series("HeapAlloc", 0.0, clock.now().mono_s)))
    assert clock.now().mono_s - 3600 < begins[0]
    assert abs(begins[0] - begins[1]) <= 120
    assert min(facts) > 5, "a base goes with what was written against it: up to an hour"
    assert series[0] == series[1]


def test_a_run_that_goes_on_beside_another_stays_when_the_clock_jumps(
    path: Path, watched: Watched, clock: FakeClock
) -> None:
    writer = Writer(path, Limits(max_age_s=3600.0))
    runs = [writer.begin(a_target(pid=pid), clock.now(), 1.0) for pid in (100, 200)]
    for moment in watched(80):
        for run in runs:
            writer.write(run, [moment])
    clock.wall_s += 7200
    assert clock.now().mono_s % 60 == 0, "the first to write after that looks for what is too old"
    after = watched(10)
    for run in runs:
        writer.write(run, after)
    writer.end(runs[1])
    writer.close()
    with contextlib.closing(Recording.open(path, runs[1])) as recording:
        assert len(list(recording.moments(0, 1e11))) == 90


def later(at: Instant, seconds: float) -> Instant:
    return Instant(at.wall_s + seconds, at.mono_s + seconds)


def test_no_alert_is_hidden_after_the_clock_was_set_back(path: Path, watched: Watched, clock: FakeClock) -> None:
    writer, times, size = Writer(path), list[Instant](), Figure(1.0, Unit.BYTES)
    run = writer.begin(a_target(), clock.now(), 1.0)
    for name in ("early", "late"):
        writer.write(run, watched(70))
        times.append(clock.now())
        alert = Finding(rule=name, severity=Severity.WARNING, at_s=clock.now().wall_s, summary="", measured=size)
        writer.write(run, watched(20), [alert])
        clock.wall_s -= 3600
    for seconds in (50, 90):  # before and after what is loose has become minutes
        writer.write(run, watched(seconds))
        with contextlib.closing(Recording.open(path)) as recording:
            for rule, begun, until in (("early", times[0], recording.until), ("late", times[1], recording.until)):
                for at in (later(begun, 19), until):
                    found = {finding.rule: finding.measured for finding in recording.findings(at.mono_s)}
                    assert found[rule] == size
    writer.close()


def test_an_alert_that_ends_after_the_clock_was_set_back_is_over(
    path: Path, watched: Watched, clock: FakeClock
) -> None:
    writer, begun = Writer(path), clock.now()
    run = writer.begin(a_target(), begun, 1.0)
    at_s, mono_s = begun
    alert = Finding(rule="heap", severity=Severity.WARNING, at_s=at_s, mono_s=mono_s, summary="")
    for second in range(70):
        writer.write(run, watched(1), [replace(alert, lasted_s=float(second))])
    clock.wall_s -= 3600
    over = replace(alert, lasted_s=70.0, ended_at_s=clock.now().wall_s)
    writer.write(run, watched(1), [over])
    writer.write(run, watched(90))
    writer.close()
    with contextlib.closing(Recording.open(path)) as recording:
        assert recording.findings() == (over,)
        (then,) = recording.findings(later(begun, 30).mono_s)
        assert then.ended_at_s is None
        assert [said.ended_at_s for _, said in recording.sayings()] == [None, None, over.ended_at_s]


def test_alerts_stay_though_the_clock_is_set_back_by_more_than_what_is_kept(
    path: Path, watched: Watched, clock: FakeClock
) -> None:
    writer = Writer(path, Limits(max_age_s=3600.0))
    run = writer.begin(a_target(), clock.now(), 1.0)
    writer.write(run, watched(30))
    clock.wall_s -= 7200
    alert = Finding(rule="r", severity=Severity.WARNING, at_s=clock.now().wall_s, summary="it grows")
    writer.write(run, watched(30), [alert])
    writer.write(run, watched(70))
    writer.close()
    with contextlib.closing(Recording.open(path)) as recording:
        assert [finding.summary for finding in recording.findings(1e11)] == ["it grows"]
