"""Rows are found in the pages of a file as SQLite has put them there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from memdash.recording.pages import Kinds, stray_rows

KINDS: Kinds = {"rows": ((int,), (bytes,), (float,), (str, type(None)))}
INTEGERS = [sign * (1 << bits) for bits in range(0, 63, 7) for sign in (1, -1)]
"""Of all widths in which SQLite keeps them."""


@pytest.mark.parametrize("page_bytes", [512, 4096, 65_536])
def test_rows_of_all_sizes_are_what_was_written(tmp_path: Path, page_bytes: int) -> None:
    lengths = [part * page_bytes // 8 + more for part in (0, 1, 7, 8, 9, 15, 16, 17, 40) for more in range(0, 36, 5)]
    rows = [
        (INTEGERS[at % len(INTEGERS)], bytes([at % 256]) * length, at + 0.5, None if at % 3 else f"läuft {at}")
        for at, length in enumerate(lengths)
    ]
    with closing(sqlite3.connect(tmp_path / "file", isolation_level=None)) as database:
        database.execute(f"PRAGMA page_size = {page_bytes}")
        database.execute("CREATE TABLE rows (number INTEGER, data BLOB, part REAL, words TEXT)")
        database.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", rows)
    found = {number: values for name, number, values in stray_rows(tmp_path / "file", KINDS) if name == "rows"}
    assert found == dict(enumerate(rows, start=1))
