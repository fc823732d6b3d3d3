"""A replay of a file that others write, delete and replace meanwhile."""

from __future__ import annotations

import fcntl
import os
import queue
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from memdash.errors import RecordingError
from memdash.model.snapshot import Snapshot, State
from memdash.recording.moment import Moment, Run
from memdash.recording.reader import Recording
from memdash.recording.writer import Writer
from memdash.session.past import Past
from memdash.session.replay import Replay
from tests.fakes import NOON_S
from tests.recorded import MONO_S, record, watched
from tests.session.heard import wait_for

SECONDS = 130
SEEN = watched(SECONDS, ends=True)
THEN_S = MONO_S + 77


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memdash.session.replay._WHOLE_AFTER_S", 0.01)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.mdr"
    record(path, SEEN)
    return path


@pytest.fixture
def past(file: Path) -> Iterator[Past]:
    with closing(Past(Recording.open(file), is_of_file=True)) as past:
        yield past


class Growing:
    """A file that is written as the test goes on: what has been seen up to some second."""

    def __init__(self, path: Path) -> None:
        self._writer = Writer(path)
        self._run = self._writer.begin(SEEN[0].target, SEEN[0].at, 0.0)
        self._left = list(SEEN)

    def grow(self, until_s: float) -> None:
        while self._left and self._left[0].at.mono_s <= MONO_S + until_s:
            self._writer.write(self._run, [Moment.of(self._left.pop(0))])

    def end(self) -> None:
        self.grow(SECONDS)
        self._writer.end(self._run, SEEN[-1].ending)

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
def growing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Growing]:
    monkeypatch.setattr("memdash.session.replay._LOOKS_EVERY_S", 0.01)
    with closing(Growing(tmp_path / "growing.mdr")) as growing:
        growing.grow(50)
        yield growing


def test_what_is_recorded_meanwhile_is_taken_in(tmp_path: Path, growing: Growing) -> None:
    past = Past(Recording.open(tmp_path / "growing.mdr"), is_of_file=True)
    with closing(Replay(past)) as replay:
        heard: queue.Queue[Snapshot] = queue.Queue()
        replay.subscribe(heard.put)
        assert replay.snapshot().at.mono_s == MONO_S + 50
        replay.start()
        assert wait_for(heard, lambda _: True).at.mono_s == MONO_S + 50, "with its trends"
        growing.grow(75)
        shown = wait_for(heard, lambda shown: shown.at.mono_s == MONO_S + 75)
        assert shown.is_replayed
        assert shown.history.until.mono_s == MONO_S + 75
        assert shown.sample.memstats == SEEN[75].sample.memstats
        growing.end()
        shown = wait_for(heard, lambda shown: shown.ending is not None)
        assert (shown.state, shown.ending) == (State.ENDED, SEEN[-1].ending)
        assert heard.empty(), "nothing has come since"


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the kernel tells of locks: that another process records into the growing file."""
    path, found = tmp_path / "locks", (tmp_path / "growing.mdr").stat()
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    path.write_text(f"1: FLOCK  ADVISORY  WRITE 1 {device}:{found.st_ino} 0 EOF\n")
    monkeypatch.setattr("memdash.recording.followed._LOCKS", path)
    return path


@pytest.mark.parametrize("fate", ["the recorder dies", "the file goes"])
def test_that_a_recording_breaks_off_is_said(tmp_path: Path, growing: Growing, locks: Path, fate: str) -> None:
    path = tmp_path / "growing.mdr"
    with closing(Replay(Past(Recording.open(path), is_of_file=True))) as replay:
        heard: queue.Queue[Snapshot] = queue.Queue()
        replay.subscribe(heard.put)
        replay.start()
        growing.grow(75)
        assert wait_for(heard, lambda shown: shown.at.mono_s == MONO_S + 75).cut_off == ""
        if fate == "the file goes":
            path.rename(tmp_path / "night.mdr")
            words = "growing.mdr has been moved or deleted: nothing of what is recorded since comes here."
        else:
            locks.write_text("")
            words = "Nobody records into growing.mdr any more: this run goes no further."
        shown = wait_for(heard, lambda shown: bool(shown.cut_off))
        assert (shown.cut_off, shown.at.mono_s, shown.state) == (words, MONO_S + 75, State.LIVE)


def test_a_recording_whose_target_ended_does_not_break_off(tmp_path: Path, growing: Growing, locks: Path) -> None:
    with closing(Replay(Past(Recording.open(tmp_path / "growing.mdr"), is_of_file=True))) as replay:
        heard: queue.Queue[Snapshot] = queue.Queue()
        replay.subscribe(heard.put)
        replay.start()
        growing.grow(75)
        wait_for(heard, lambda shown: shown.at.mono_s == MONO_S + 75)
        growing.end()
        locks.write_text("")
        assert wait_for(heard, lambda shown: shown.ending is not None).cut_off == ""


def test_a_moment_that_could_not_be_made_is_tried_again(
    tmp_path: Path, growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Replay(Past(Recording.open(tmp_path / "growing.mdr"), is_of_file=True))) as replay:
        heard: queue.Queue[Snapshot] = queue.Queue()
        replay.subscribe(heard.put)
        growing.grow(75)
        made, failures = Past.at, iter([RecordingError("the disk does not answer")])

        def at(*args: Any, **options: Any) -> Snapshot:
            for failure in failures:
                raise failure
            return made(*args, **options)

        monkeypatch.setattr(Past, "at", at)
        replay.start()
        assert wait_for(heard, lambda _: True).at.mono_s == MONO_S + 75


def looks(replay: Replay, monkeypatch: pytest.MonkeyPatch, run: Callable[[Past], Run]) -> None:
    """Start a replay and let it look three times whether its file has grown; each look gives what ``run`` does."""
    asked: queue.Queue[None] = queue.Queue()

    def look(past: Past) -> Run:
        asked.put(None)
        return run(past)

    monkeypatch.setattr(Past, "run", property(look))
    replay.start()
    for _ in range(3):
        asked.get(timeout=10)


def test_what_takes_the_name_of_its_file_is_none_of_it(
    tmp_path: Path, file: Path, growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / "growing.mdr", vars(Past)["run"].fget
    with closing(Replay(Past(Recording.open(path), is_of_file=True))) as replay:
        file.rename(path)
        looks(replay, monkeypatch, real)
        assert replay.snapshot().at.mono_s == MONO_S + 50


def test_a_run_that_is_pruned_away_leaves_what_was_seen_last(
    tmp_path: Path, growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Past) -> Run:
        raise RecordingError("this run has just had to make room for newer ones")

    with closing(Replay(Past(Recording.open(tmp_path / "growing.mdr"), is_of_file=True))) as replay:
        looks(replay, monkeypatch, gone)
        assert replay.snapshot().at.mono_s == MONO_S + 50


def test_a_mark_goes_into_the_file(file: Path, past: Past) -> None:
    replay = Replay(past)
    replay.mark("here it began", past.at(THEN_S))
    assert "here it began" in [finding.summary for finding in replay.snapshot().findings]
    again = Past(Recording.open(file))
    assert [f.at_s for f in again.at(MONO_S + SECONDS).findings if f.summary == "here it began"] == [NOON_S + 77]
    again.close()


def test_a_file_that_has_gone_takes_no_marks(file: Path, past: Past) -> None:
    replay = Replay(past)
    file.unlink()
    file.mkdir()
    for mark in (replay.require_markable, lambda: replay.mark("here", past.at(THEN_S))):
        with pytest.raises(RecordingError, match="is not there any more"):
            mark()
    assert past.at(THEN_S).at.mono_s == THEN_S, "what is open can still be looked at"


def test_a_file_that_somebody_records_into_takes_no_marks(file: Path, past: Past) -> None:
    replay = Replay(past)
    replay.require_markable()
    descriptor = os.open(file, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(RecordingError, match=r"no moment of it can be marked: .* is being written by another memdash"):
        replay.require_markable()
    os.close(descriptor)
    replay.require_markable()
    assert past.at(THEN_S).at.mono_s == THEN_S
