"""Files that somebody made to do harm to whoever reads them."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.errors import Corrupt, RecordingError
from memdash.model.finding import Finding, Severity
from memdash.recording import allowance
from memdash.recording.mended import opened_sound
from memdash.recording.moment import Moment
from memdash.recording.pages import stray_rows
from memdash.recording.reader import Recording
from memdash.recording.salvage import salvage
from memdash.recording.writer import Writer
from tests.recording.test_trouble import read_all

Watched = Callable[..., list[Moment]]


_ENDLESS = "WITH RECURSIVE more(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM more LIMIT 1000)"
"""With an end, which is not reached: were it asked all the same, the test would end."""


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("finding", "1 AS run, number AS wall, 'a' AS rule, 'b' AS note, number AS said, x'' AS data"),
        ("mark", "1 AS run, number AS mono, number AS wall, 'b' AS note"),
        (
            "minute",
            "number AS rowid, 1 AS run, 1 AS mono, 1 AS last_mono, 1 AS wall, 1 AS last_wall, 1 AS alike, x'' AS data",
        ),
    ],
)
def test_a_table_that_is_a_query_without_end_is_not_asked(
    path: Path, writer: Writer, run: int, watched: Watched, table: str, columns: str
) -> None:
    writer.write(run, watched(3))
    writer.close()
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(f"ALTER TABLE {table} RENAME TO other")
        database.execute(f"CREATE VIEW {table} AS {_ENDLESS} SELECT {columns} FROM more")  # noqa: S608 - our own
    with pytest.raises(RecordingError, match="has tables that are none of memdash's"):
        read_all(path)


_COSTLY = "length(hex(zeroblob(1000000000)))"
"""Were it asked for, SQLite would say that this is too big."""


@pytest.mark.parametrize(
    "told",
    [
        f"CREATE INDEX costly ON mark ({_COSTLY})",
        f"CREATE INDEX costly ON mark (mono) WHERE {_COSTLY} > mono",
        f"CREATE TRIGGER costly AFTER INSERT ON mark BEGIN SELECT {_COSTLY}; END",
        f"ALTER TABLE mark ADD COLUMN costly AS ({_COSTLY})",
        f"ALTER TABLE mark ADD COLUMN costly CHECK ({_COSTLY} > 0)",
        "CREATE TABLE costly (number, mono COLLATE nocase)",
        "CREATE VIRTUAL TABLE costly USING fts5(mono)",
    ],
    ids=["index", "partial", "trigger", "generated", "check", "collation", "virtual"],
)
def test_nothing_is_computed_because_a_file_says_so(
    path: Path, writer: Writer, run: int, watched: Watched, told: str
) -> None:
    """What stands in the pages of such a file is had all the same."""
    writer.write(run, watched(3))
    writer.close()
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(told)
    with pytest.raises(Corrupt, match="has tables that are none of memdash's"):
        Recording.open(path)
    opened = opened_sound(path)
    assert len(list(opened.recording.moments(0, 1e11))) == 3
    assert opened.damage
    opened.close()


def test_tables_without_number_are_not_even_parsed(path: Path, writer: Writer, run: int, watched: Watched) -> None:
    writer.write(run, watched(3))
    writer.close()
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA writable_schema = ON")
        told = (("view", f"v{n}", f"v{n}", 0, f"CREATE VIEW v{n} AS SELECT 1") for n in range(8000))
        database.executemany("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", told)
    with pytest.raises(Corrupt, match="takes longer to read than any that memdash makes"):
        Recording.open(path)


def test_a_damaged_file_that_takes_too_long_is_left_to_who_has_time(
    path: Path, writer: Writer, run: int, watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.write(run, watched(200))
    writer.close()
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE INDEX costly ON mark (length(note))")
    monkeypatch.setattr(allowance.Allowance.__init__, "__defaults__", (10, 1 << 30))
    with pytest.raises(Corrupt, match="mended while somebody waits"):
        opened_sound(path)
    assert salvage(path, tmp_path / "saved.mdr").saved > 10


@pytest.mark.parametrize("interval_s", [float("inf"), -float("inf"), "nan", b"2", 1e308, 1 << 62, 0, -2])
def test_an_interval_that_is_none_is_taken_for_the_usual_one(
    path: Path, writer: Writer, run: int, watched: Watched, interval_s: object
) -> None:
    writer.write(run, watched(3))
    writer.close()
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE run SET interval_s = ?", (interval_s,))
    with contextlib.closing(Recording.open(path)) as recording:
        assert recording.run.interval_s == 1.0
        assert recording.series("HeapAlloc", 0, 1e9).spacing_s in (1.0, 10.0, 60.0)


@pytest.mark.parametrize(("table", "column"), [("run", "mono"), ("minute", "wall"), ("moment", "mono")])
def test_a_time_that_is_none_is_damage(
    path: Path, writer: Writer, run: int, watched: Watched, table: str, column: str
) -> None:
    writer.write(run, watched(130))
    writer.close()
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE {table} SET {column} = 'x' WHERE rowid = 1")  # noqa: S608 - our own names
    with contextlib.closing(Recording.open(path)) as recording, pytest.raises(Corrupt):
        recording.findings()


@pytest.mark.parametrize("said", ["x", b"x", 1.5, float("-inf")])
def test_an_alert_that_was_said_at_no_time_is_damage(
    path: Path, writer: Writer, run: int, watched: Watched, said: object
) -> None:
    moments = watched(3)
    alert = Finding(rule="r", severity=Severity.INFO, at_s=moments[0].at.wall_s, summary="")
    writer.write(run, moments, [alert])
    writer.close()
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE finding SET said = ?", (said,))
    with contextlib.closing(Recording.open(path)) as recording, pytest.raises(Corrupt):
        list(recording.sayings())


@pytest.mark.parametrize("wall", [1 << 62, -1])
def test_a_time_in_no_year_is_damage(path: Path, writer: Writer, run: int, watched: Watched, wall: int) -> None:
    writer.write(run, watched(130))
    writer.close()
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE minute SET wall = ? WHERE rowid = 1", (wall,))
    with contextlib.closing(Recording.open(path)) as recording, pytest.raises(Corrupt, match="in no year"):
        _ = recording.since


def test_rows_that_go_on_in_a_circle_are_not_read_for_ever(tmp_path: Path) -> None:
    """Two hundred on one page, of which each says that it is as long as the file."""
    pages = (
        b"SQLite format 3\0" + (512).to_bytes(2, "big"),
        b"\x0d\0\0" + (200).to_bytes(2, "big") + bytes(3) + 200 * (440).to_bytes(2, "big"),
        (3).to_bytes(4, "big"),
    )
    content = bytearray(b"".join(page.ljust(512, b"\0") for page in pages))
    length, number, header = b"\x8c\0", b"\1", b"\3\x97\x44"  # 1536 bytes, in which 1500 are one value
    cell = length + number + header + bytes(36) + (3).to_bytes(4, "big")
    content[512 + 440 : 512 + 440 + len(cell)] = cell
    path = tmp_path / "circle.mdr"
    path.write_bytes(content)
    assert 0 < len(list(stray_rows(path, {"mark": [(bytes,)]}))) <= 16
