"""Facts of many rows on their way into a recording."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import memdash.recording.facts
from memdash.model.capability import Capability, Source
from memdash.model.sample import Origin
from memdash.recording.codec import Base, Dated, compressed, encoded_fact
from memdash.recording.facts import Facts
from memdash.recording.moment import Moment
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer
from tests.fakes import FakeClock, a_profile, a_target
from tests.recording.conftest import watch

Watched = Callable[..., list[Moment]]


def with_sites(clock: FakeClock, *growths: float, apart_s: float = 60.0) -> list[Moment]:
    """Moments with a profile of each of them that has grown so much."""
    moments = []
    for growth in growths:
        (moment,) = watch(clock, 1, apart_s)
        origins = {**moment.sample.origins, Capability.SITES: Origin(Source.MEMORY, moment.at)}
        sample = replace(moment.sample, sites=a_profile(growth), origins=origins)
        moments.append(replace(moment, sample=sample))
    return moments


def test_whoever_reads_beside_does_not_wait_while_a_fact_is_encoded(
    watched: Watched, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, free = Writer(), list[bool]()

    def is_free() -> bool:
        if not writer.database._lock.acquire(blocking=False):
            return False
        writer.database._lock.release()
        return True

    def looked_at(dated: Dated, base: Base | None) -> bytes:
        with ThreadPoolExecutor() as other:
            free.append(other.submit(is_free).result())
        return encoded_fact(dated, base)

    monkeypatch.setattr(memdash.recording.facts, "encoded_fact", looked_at)
    run = writer.begin(a_target(), clock.now(), 1.0)
    for moment in watched(70):
        writer.write(run, [moment])
    writer.mark(run, clock.now(), "here")
    writer.end(run)
    assert len(free) > 1
    assert all(free)
    writer.close()


def test_a_fact_may_be_the_base_of_the_next_of_its_batch(
    path: Path, writer: Writer, run: int, clock: FakeClock
) -> None:
    moments = with_sites(clock, 1.0, 1.1, 1.2, 1.3)
    writer.write(run, moments)
    assert _sites(path) == [moment.sample.sites for moment in moments]
    bases = [base for (base,) in writer.database.rows("SELECT base FROM fact WHERE kind = 'sites' ORDER BY id")]
    assert bases == [None, 1, 1, 1]


def test_a_fact_whose_base_makes_room_meanwhile_is_written_in_full(
    path: Path, writer: Writer, run: int, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = with_sites(clock, 1.0, 1.1, 1.2)
    writer.write(run, [first])

    def after_pruning(dated: Dated, base: Base | None) -> bytes:
        data = encoded_fact(dated, base)
        writer.database.run("DELETE FROM fact WHERE id = 1")
        return data

    monkeypatch.setattr(memdash.recording.facts, "encoded_fact", after_pruning)
    writer.write(run, [second])
    monkeypatch.undo()
    writer.write(run, [third])
    assert _sites(path) == [second.sample.sites, third.sample.sites]


def test_a_fact_that_is_too_large_to_be_read_again_is_left_out(
    path: Path, writer: Writer, run: int, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = with_sites(clock, 1.0, 1.1)
    writer.write(run, [small])
    monkeypatch.setattr(memdash.recording.facts, "encoded_fact", lambda *_: compressed("x" * (65 << 20)))
    writer.write(run, [large])
    with contextlib.closing(Recording.open(path)) as recording:
        found = recording.moment_by(large.at.mono_s)
    assert (found.at, found.sample.sites) == (large.at, small.sample.sites)


def _sites(path: Path) -> list[object]:
    with contextlib.closing(Recording.open(path)) as recording:
        return [dated.fact for dated in recording.facts(Capability.SITES, 0, 1e11)]


def test_the_first_minute_has_more_than_the_profile_of_its_beginning(clock: FakeClock) -> None:
    facts, began_s = Facts(), clock.now().mono_s
    moments = with_sites(clock, *(1 + second / 100 for second in range(200)), apart_s=1.0)
    written = [due.at.mono_s for due in facts.due(moments, keep=False) if due.capability is Capability.SITES]
    assert [round(at_s - began_s) for at_s in written] == [0, 5, 10, 20, 40, 80, 140]
