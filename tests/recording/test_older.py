"""A file of format 1 is read as ever, and becomes one of today's where it is written.

``older/format-1.mdr.gz`` is one of memdash 0.5.0: 200 s, a sample a second. After 100 s its clock was set back by an
hour. One alert held from 10 to 90 s, one from 95 to 130 s, one from 150 to 180 s and one from 190 s on; a mark is of
160 s.
"""

from __future__ import annotations

import gzip
import math
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from memdash.errors import RecordingError
from memdash.model.missing import known
from memdash.model.sample import Instant
from memdash.recording import tables
from memdash.recording.mended import opened_sound
from memdash.recording.older import dated
from memdash.recording.place import Place
from memdash.recording.reader import Recording
from memdash.recording.salvage import salvage
from memdash.recording.writer import Writer
from memdash.session.past import Past
from memdash.session.replay import retold
from tests.fakes import NOON_S, a_target

BEGAN_S = 10_000.0
TOLD = {"early": 10, "across": 95, "late": 0, "open": 0, "mark": 0}
"""At which second each is known: what began after the clock was set back bears a time before the first sample."""


@pytest.fixture
def file(path: Path) -> Path:
    path.write_bytes(gzip.decompress((Path(__file__).parent / "older" / "format-1.mdr.gz").read_bytes()))
    return path


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        ((found,),) = database.execute("PRAGMA user_version")
    return int(found)


def first_told(recording: Recording) -> dict[str, float]:
    told: dict[str, float] = {}
    for said_s, finding in recording.sayings():
        told.setdefault(finding.rule, round(said_s - BEGAN_S))
    return told


def test_it_is_read_and_stays_as_it_is(file: Path) -> None:
    content = file.read_bytes()
    with closing(Recording.open(file)) as recording:
        assert first_told(recording) == TOLD
        assert [moment.at.mono_s - BEGAN_S for moment in recording.moments(0, 1e11)] == list(range(200))
        assert [mark.at.mono_s - BEGAN_S for mark in recording.marks()] == [160]
        early, across = (
            next(each for each in recording.findings() if each.rule == rule) for rule in ("early", "across")
        )
        assert (early.lasted_s, across.lasted_s) == (80.0, 35.0)
        held, *others = recording.findings(BEGAN_S + 30)
        assert (held.rule, held.ended_at_s) == ("early", None)
        assert {each.rule for each in others} == {rule for rule, at_s in TOLD.items() if not at_s}
        assert held.lasted_s == pytest.approx(20, abs=0.1)
    assert (file.read_bytes(), version(file)) == (content, 1)
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_what_was_before_the_clock_was_set_is_told_at_its_sample(file: Path) -> None:
    past = Past(Recording.open(file), is_of_file=True)
    news = {
        (told.finding.rule, told.kind.value): round(shown.at.mono_s - BEGAN_S)
        for shown in retold(past)
        for told in shown.transitions
    }
    past.close()
    assert [news[told] for told in (("early", "opened"), ("early", "ended"), ("across", "opened"))] == [10, 90, 95]


def test_of_each_entry_it_is_known_when_it_began(file: Path) -> None:
    """Though none of them tells: a gate leaves out what was done to the target before it began to judge."""
    past = Past(Recording.open(file), is_of_file=True)
    *_, last = retold(past)
    for log in (last.findings, past.findings):
        began = {entry.rule: round(known(entry.mono_s, math.nan) - BEGAN_S) for entry in log}
        assert began == TOLD
    past.close()


def test_before_0_4_what_was_said_of_a_minute_bore_its_beginning(file: Path) -> None:
    """And so did the end, before there was one."""
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE OR REPLACE finding SET said = max(wall, said - said % 60000000)")
    with closing(Recording.open(file)) as recording:
        early = [recording.findings(BEGAN_S + second)[0] for second in (11, 41, 81, 89, 90)]
        assert [each.rule for each in early] == ["early"] * 5
        assert [each.ended_at_s is not None for each in early] == [False, False, False, False, True]
        assert [round(each.lasted_s) for each in early[2:]] == [71, 79, 80]


def test_one_that_is_sound_is_read_beside_a_damaged_one(file: Path) -> None:
    opened = opened_sound(file)
    assert (opened.damage, first_told(opened.recording)) == ("", TOLD)
    opened.close()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE mark SET run = 77")
    opened = opened_sound(file)
    assert (opened.damage, first_told(opened.recording)) == ("1 mark cannot be read", TOLD)
    opened.close()


@pytest.mark.parametrize("is_torn", [False, True])
def test_what_is_left_of_a_damaged_one_is_of_today(file: Path, tmp_path: Path, is_torn: bool) -> None:
    if is_torn:  # not even its version is left
        content = file.read_bytes()
        file.write_bytes(bytes(4096) + content[4096:])
    salvage(file, tmp_path / "saved.mdr")
    assert version(tmp_path / "saved.mdr") == tables.VERSION
    with closing(Recording.open(tmp_path / "saved.mdr")) as recording:
        assert first_told(recording) == TOLD


def test_to_go_on_in_one_makes_it_one_of_today(file: Path) -> None:
    with closing(Recording.open(file)) as beside:
        writer = Writer(file, appends=True)
        assert version(file) == tables.VERSION
        run = writer.begin(a_target(), Instant(NOON_S, 500.0), 1.0)
        writer.mark(1, Instant(NOON_S + 20, BEGAN_S + 20), "seen later")
        writer.end(run)
        writer.close()
        assert first_told(beside) == TOLD, "who has it open reads on"
    with closing(Recording.open(file, 1)) as recording:
        assert first_told(recording) == TOLD
        assert [each.summary for each in recording.findings(BEGAN_S + 20) if each.is_mark] == ["seen later", "deploy"]
        assert [each.summary for each in recording.findings(BEGAN_S + 19) if each.is_mark] == ["deploy"]
    with closing(tables.opened_to_write(file)) as database, database.transaction():
        dated(database)  # which finds nothing more to do
    with closing(Recording.open(file, 1)) as recording:
        assert recording.findings(BEGAN_S + 15)[0].rule == "early"


def test_where_that_fails_it_stays_of_its_format(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise RecordingError("the disk is full")

    monkeypatch.setattr(tables, "dated", fails)
    with pytest.raises(RecordingError, match="full"):
        Writer(file, appends=True)
    assert version(file) == 1
    Place(file, appends=True).close()
    with closing(Recording.open(file)) as recording:
        assert first_told(recording) == TOLD
