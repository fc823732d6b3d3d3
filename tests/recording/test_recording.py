from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from memdash.model.capability import Capability, Source
from memdash.model.missing import Missing
from memdash.model.sample import Origin, Sample
from memdash.recording.codec import Minute
from memdash.recording.moment import Moment
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer
from memdash.sampling.history import History
from tests.fakes import FakeClock

Watched = Callable[..., list[Moment]]


def without_profile(sample: Sample) -> Sample:
    """A profile may be a minute old, and says so."""
    return replace(sample, sites=Missing(type(sample.sites).__name__), origins={})


def test_every_moment_comes_back_as_it_was(path: Path, writer: Writer, run: int, watched: Watched) -> None:
    moments = watched(100)
    for moment in moments:
        writer.write(run, [moment])
    recording = Recording.open(path)
    assert [without_profile(moment.sample) for moment in recording.moments(0, 1e11)] == [
        without_profile(moment.sample) for moment in moments
    ]
    for moment in moments[::7]:
        found = recording.moment_by(recording.instant_at(moment.at.wall_s + 0.5).mono_s)
        assert without_profile(found.sample) == without_profile(moment.sample)
        assert found.at == moment.at
    recording.close()


def test_a_fast_watch_is_put_together_in_several_pieces(path: Path, writer: Writer, run: int, watched: Watched) -> None:
    moments = watched(250, interval_s=0.125)  # it begins 20 s before a minute is over
    writer.write(run, moments)
    assert len(writer.database.rows("SELECT 1 FROM minute WHERE run = ?", run)) == 2
    recording = Recording.open(path)
    assert [moment.at for moment in recording.moments(0, 1e11)] == [moment.at for moment in moments]
    assert [recording.moment_by(moment.at.mono_s).at for moment in moments[::23]] == [
        moment.at for moment in moments[::23]
    ]
    recording.close()


def test_series_are_those_of_a_live_history(
    path: Path, writer: Writer, run: int, watched: Watched, clock: FakeClock
) -> None:
    history = History(1.0)
    for moment in watched(260):
        history.append(moment.sample)
        writer.write(run, [moment])
    recording, until_s = Recording.open(path), clock.now().mono_s - 1
    for key, span_s in product(("HeapAlloc", "system.rss_bytes", "gc.pause_recent_ns"), (60.0, 240.0)):
        live, recorded = history.view().series(key, span_s), recording.series(key, until_s - span_s, until_s)
        assert list(recorded.times_s) == list(live.times_s)
        assert list(recorded.last) == list(live.last)
        assert list(recorded.low) == list(live.low)
        assert list(recorded.high) == list(live.high)
        assert recorded.spacing_s == live.spacing_s
    recording.close()


@pytest.mark.parametrize("packed", [0, 1])
def test_what_is_pruned_between_two_looks_is_passed_over(
    path: Path, writer: Writer, run: int, watched: Watched, monkeypatch: pytest.MonkeyPatch, packed: int
) -> None:
    moments = watched(200)
    for moment in moments:
        writer.write(run, [moment])
    recording, real = Recording.open(path), Recording._minute
    rows = [row for (row,) in writer.database.rows("SELECT rowid FROM minute ORDER BY mono")]

    def pruned(recording: Recording, row: int) -> Minute:
        if row == rows[packed]:
            writer.database.run("DELETE FROM minute WHERE rowid = ?", row)
        return real(recording, row)

    monkeypatch.setattr(Recording, "_minute", pruned)
    times = {moment.at for moment in recording.moments(0, 1e11)}
    gone = [moment.at for moment in moments if moment.at not in times]
    assert 20 <= len(gone) <= 60
    at = gone[-1]
    assert recording.moment_by(at.mono_s).at not in gone
    recording.close()


def test_a_fact_of_a_later_memdash_is_missing_and_all_else_is_there(
    path: Path, writer: Writer, run: int, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = watched(2)
    monkeypatch.setattr(Source.MEMORY, "_value_", "ebpf")
    profile = replace(moments[0].sample, origins={Capability.SITES: Origin(Source.MEMORY, moments[0].at)})
    writer.write(run, [replace(moments[0], sample=profile)])
    monkeypatch.undo()
    recording = Recording.open(path)
    found = recording.moment_by(moments[0].at.mono_s).sample
    recording.close()
    assert isinstance(found.sites, Missing)
    assert "later memdash" in found.sites.why
    assert found.memstats == moments[0].sample.memstats
