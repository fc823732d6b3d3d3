"""Recordings of which a piece holds what nobody wrote: sound bytes, and in them anything in the place of anything."""

import contextlib
import copy
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memdash.recording.alike import Alike
from memdash.recording.codec import as_base, compressed, decoded_plain
from memdash.recording.database import Database
from tests.recorded import record, watched

Run = Callable[..., tuple[int, str, str]]

_JUNK: tuple[Any, ...] = (
    *(0, -1, 1 << 62, (1 << 63) - 1, -(1 << 63), float("nan"), float("inf"), 1e308, 5e-324, None, True),
    *("", "\u202e\x1b[2J\n", "a" * 9000, b"", b"\xff" * 7, b"\xff" * 800, [], {}, [[]] * 99, {"?": ["x", "y"]}),
)
_VERBS = (("report",), ("report", "--json"), ("log",), ("check", "--max", "HeapAlloc=1GiB"), ("top",), ("tree",))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Each part of a tree: what it stands in, and where there."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(tree[key])


def _changed(chance: random.Random, tree: Any) -> Any:
    for _ in range(chance.choice((1, 1, 3))):
        place, key = chance.choice(list(_places(tree)))
        junk, same = copy.deepcopy(chance.choice(_JUNK)), place[key]
        place[key] = chance.choice((junk, junk, same * 9 if isinstance(same, list) else junk))
    return tree


def _spoil(chance: random.Random, path: Path) -> None:
    """Write something else into one piece of it."""
    table = chance.choice(("minute", "fact", "fact", "finding", "series"))
    held = Database(path)
    columns = {"minute": "alike", "series": "alike", "fact": "base", "finding": "NULL"}
    rows = held.rows(f"SELECT rowid, {columns[table]}, data FROM {table}")  # noqa: S608 - our own names
    number, other, data = chance.choice(rows)
    base = b""
    if other is not None:
        base = as_base(held.rows("SELECT data FROM fact WHERE id = ?", other)[0][0]).content if table == "fact" else b""
        base = base or Alike(held).of(other)
    held.close()
    spoilt = compressed(_changed(chance, decoded_plain(data, base)), base=base)
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE {table} SET data = ? WHERE rowid = ?", (spoilt, number))  # noqa: S608 - our own names


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("short") / "run.mdr"
    record(path, watched(125))
    return path


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_recording_holds_is_shown_or_called_damaged(
    run: Run, short: Path, tmp_path: Path, seed: int
) -> None:
    chance, path = random.Random(seed), tmp_path / "odd.mdr"
    for _ in range(4):
        shutil.copyfile(short, path)
        _spoil(chance, path)
        verb, *more = chance.choice(_VERBS)
        code, out, err = run(verb, path, *more)
        assert code in (0, 1, 2, 5), (verb, err)
        assert "defect" not in err + out
        assert not {"\x1b", "\u202e"} & {*out, *err}
