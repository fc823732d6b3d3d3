"""A damaged recording is read as far as it can be, and says what is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from memdash.errors import Corrupt, NewerFormat, RecordingError
from memdash.recording.codec import compressed
from memdash.recording.mended import opened_sound
from memdash.recording.moment import Moment
from memdash.recording.writer import Writer
from tests.fakes import a_target
from tests.recording.conftest import written

Watched = Callable[..., list[Moment]]


@pytest.fixture
def moments(watched: Watched) -> list[Moment]:
    return watched(200)


@pytest.fixture
def file(path: Path, moments: list[Moment]) -> Path:
    written(path, moments)
    return path


def asked(path: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(query, values).fetchall()


def turned(path: Path, piece: bytes) -> None:
    """Turn a byte in the middle of a piece."""
    content = bytearray(path.read_bytes())
    place = content.index(piece[:60]) + 30
    content[place] ^= 0xFF
    path.write_bytes(content)


def read(path: Path) -> tuple[str, list[float]]:
    """What is said to be lost, and which moments are there."""
    opened = opened_sound(path)
    try:
        return opened.damage, [moment.at.mono_s for moment in opened.recording.moments(0, 1e11)]
    finally:
        opened.close()


def test_of_what_is_whole_nothing_is_said(file: Path, moments: list[Moment]) -> None:
    assert read(file) == ("", [moment.at.mono_s for moment in moments])


def test_a_minute_that_is_damaged_is_left_out_and_told(file: Path, moments: list[Moment]) -> None:
    ((data,),) = asked(file, "SELECT substr(data, 100) FROM minute ORDER BY mono LIMIT 1 OFFSET 1")
    turned(file, data)
    damage, left = read(file)
    assert damage == "1 minute cannot be read"
    assert 130 <= len(left) <= 141
    assert left[0] == moments[0].at.mono_s
    assert left[-1] == moments[-1].at.mono_s


def test_damaged_readings_and_charts_have_their_names(file: Path) -> None:
    for query in ("SELECT data FROM fact LIMIT 1 OFFSET 1", "SELECT data FROM series LIMIT 1 OFFSET 1"):
        ((data,),) = asked(file, query)
        turned(file, data)
    assert read(file)[0] == "1 reading of sites, tasks or objects and 1 stretch of the charts cannot be read"


@pytest.mark.parametrize(
    ("table", "column", "lost"), [("minute", "last_mono", "1 minute"), ("series", "mono", "1 stretch of the charts")]
)
def test_what_is_of_another_type_than_is_written_is_damaged(file: Path, table: str, column: str, lost: str) -> None:
    asked(file, f"UPDATE {table} SET {column} = 'x' WHERE rowid = 1")  # noqa: S608 - our own names
    assert read(file)[0] == f"{lost} cannot be read"


def test_a_run_that_does_not_say_what_its_charts_are_of_is_lost(file: Path, moments: list[Moment]) -> None:
    writer = Writer(file, appends=True)
    run = writer.begin(a_target(pid=2), moments[0].at, 1.0)
    writer.write(run, moments[:3])
    writer.close()
    asked(file, "UPDATE run SET metrics = ? WHERE number = ?", compressed(5), run)
    damage, left = read(file)
    assert damage.startswith("1 run, ")
    assert left == [moment.at.mono_s for moment in moments]


def test_an_index_alone_costs_nothing(file: Path, moments: list[Moment]) -> None:
    blanked(file, root_of(file, "minute_at"))
    assert read(file) == ("some of its pages cannot be read", [moment.at.mono_s for moment in moments])


def test_of_a_hole_only_what_was_in_it_is_lost(path: Path, watched: Watched) -> None:
    moments = watched(300)
    writer = Writer(path)
    for number in range(100):  # runs of three seconds stay as moments, which are rows enough for some pages
        run = writer.begin(a_target(pid=number + 1), moments[0].at, 1.0)
        writer.write(run, moments[3 * number : 3 * number + 3])
    writer.close()
    leaves = asked(path, "SELECT pageno FROM dbstat WHERE name = 'moment' AND pagetype = 'leaf' ORDER BY path")
    (page,) = leaves[len(leaves) // 2]
    rows = blanked(path, page)
    opened = opened_sound(path)
    left = sum(len(list(opened.recording.of(run.number).moments(0, 1e11))) for run in opened.recording.runs)
    opened.close()
    assert opened.damage == "some of its pages cannot be read"
    assert left == 300 - rows


def root_of(path: Path, name: str) -> int:
    ((page,),) = asked(path, f"SELECT rootpage FROM sqlite_master WHERE name = '{name}'")  # noqa: S608 - our own
    return int(str(page))


def blanked(path: Path, page: int) -> int:
    """Make zeros of a page; how many rows it held."""
    content = bytearray(path.read_bytes())
    begin = 4096 * (page - 1)
    rows = int.from_bytes(content[begin + 3 : begin + 5], "big")
    content[begin : begin + 4096] = bytes(4096)
    path.write_bytes(content)
    return rows


def test_the_page_that_leads_to_all_others_may_be_gone(file: Path, moments: list[Moment]) -> None:
    blanked(file, 1)
    assert read(file) == ("some of its pages cannot be read", [moment.at.mono_s for moment in moments])


def cut(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_where_no_moment_is_left_there_is_no_recording(file: Path, share: float) -> None:
    cut(file, share)
    with pytest.raises(Corrupt):
        read(file)


@pytest.mark.parametrize("share", [0.8, 0.95])
def test_what_has_lost_its_end_is_never_taken_for_whole(file: Path, moments: list[Moment], share: float) -> None:
    cut(file, share)
    damage, left = read(file)
    assert "cannot be read" in damage
    assert left
    assert set(left) <= {moment.at.mono_s for moment in moments}


@pytest.mark.matrix
def test_pages_tell_what_nothing_leads_to_any_more(path: Path, watched: Watched) -> None:
    moments = watched(2000)
    writer = Writer(path)
    run = writer.begin(a_target(), moments[0].at, 1.0)
    for moment in moments:
        writer.write(run, [moment])
    writer.close()
    pages = asked(path, "SELECT pageno FROM dbstat WHERE name = 'minute' AND pagetype = 'internal'")
    for (page,) in pages:
        blanked(path, page)
    damage, left = read(path)
    assert damage == "some of its pages cannot be read"
    assert left == [moment.at.mono_s for moment in moments]


def test_what_is_no_recording_or_a_newer_one_is_no_damage(tmp_path: Path, file: Path) -> None:
    with pytest.raises(RecordingError, match="there is no recording"):
        opened_sound(tmp_path / "none.mdr")
    (tmp_path / "text.mdr").write_text("no database" * 900)
    with pytest.raises(Corrupt, match="no recording"):
        opened_sound(tmp_path / "text.mdr")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerFormat):
        opened_sound(file)


def test_it_is_read_while_it_is_written(path: Path, watched: Watched) -> None:
    moments = watched(130)
    writer = Writer(path)
    run = writer.begin(a_target(), moments[0].at, 1.0)
    for number, moment in enumerate(moments, start=1):
        writer.write(run, [moment])
        if number % 13 == 0:
            damage, left = read(path)
            assert (damage, len(left)) == ("", number)
    writer.close()


def test_both_what_is_known_to_be_lost_and_that_there_may_be_more_is_told(file: Path) -> None:
    ((data,),) = asked(file, "SELECT substr(data, 100) FROM minute ORDER BY mono LIMIT 1 OFFSET 1")
    turned(file, data)
    blanked(file, root_of(file, "minute_at"))
    assert read(file)[0] == "1 minute and whatever else was on some of its pages cannot be read"


def test_of_a_run_that_is_damaged_nothing_is_left(path: Path, watched: Watched) -> None:
    runs = watched(3), watched(5)
    writer = Writer(path)
    for number, moments in enumerate(runs):
        writer.write(writer.begin(a_target(pid=number + 1), moments[0].at, 1.0), moments)
    writer.close()
    ((target,),) = asked(path, "SELECT target FROM run ORDER BY number LIMIT 1")
    turned(path, target)
    damage, left = read(path)
    assert damage.startswith("1 run, ")
    assert "3 moments" in damage
    assert left == [moment.at.mono_s for moment in runs[1]]


@pytest.fixture
def unsettled(path: Path, moments: list[Moment]) -> Iterator[Path]:
    """A file that is still written: the newest moments are in the log beside it, and old ones in its empty pages."""
    writer = Writer(path)
    run = writer.begin(a_target(), moments[0].at, 1.0)
    for moment in moments[:190]:
        writer.write(run, [moment])
    writer.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    for moment in moments[190:]:
        writer.write(run, [moment])
    yield path
    writer.close()


def test_what_stands_in_the_log_beside_a_damaged_file_is_read_as_well(unsettled: Path, moments: list[Moment]) -> None:
    blanked(unsettled, root_of(unsettled, "minute_at"))
    assert read(unsettled) == ("some of its pages cannot be read", [moment.at.mono_s for moment in moments])


def test_what_was_put_together_since_is_not_told_twice(unsettled: Path, moments: list[Moment], tmp_path: Path) -> None:
    copy = tmp_path / "copy.mdr"
    copy.write_bytes(unsettled.read_bytes())
    blanked(copy, 1)
    assert read(copy)[1] == [moment.at.mono_s for moment in moments[:190]]
