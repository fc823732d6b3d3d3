"""The worst is kept, and nothing that is not ours is ever touched."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.errors import HookError
from memdash.hooks.folders import Folders, private_file
from memdash.model.finding import Severity
from tests.fakes import NOON_S, a_target
from tests.hooks.conftest import transition

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
Keep = Callable[..., None]


def keep(folders: Folders, rule: str, severity: Severity = WARNING, after_s: float = 0.0, size: int = 10) -> None:
    with folders.made(a_target(), transition(rule, severity).finding, NOON_S + after_s) as folder:
        private_file(folder / "report.txt", bytes(size))


def kept(root: Path) -> set[str]:
    return {path.name.split("-")[2] for path in root.iterdir()}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path, 3, 1000)


def test_the_worst_are_kept_then_the_newest(tmp_path: Path, folders: Folders) -> None:
    keep(folders, "critical", CRITICAL, 0)
    for number in range(1, 5):
        keep(folders, f"warning{number}", WARNING, number)
    assert kept(tmp_path) == {"critical", "warning3", "warning4"}


def test_less_is_not_taken_while_worse_fills_the_place(tmp_path: Path, folders: Folders) -> None:
    for number in range(3):
        keep(folders, f"critical{number}", CRITICAL, number)
    assert not folders.takes(WARNING)
    assert folders.takes(CRITICAL)


def test_bytes_count_and_the_newest_stays_however_large(tmp_path: Path, folders: Folders) -> None:
    keep(folders, "first", after_s=0, size=400)
    keep(folders, "second", after_s=1, size=400)
    keep(folders, "third", after_s=2, size=400)
    assert kept(tmp_path) == {"second", "third"}
    keep(folders, "huge", after_s=3, size=5000)
    assert kept(tmp_path) == {"huge"}


def test_two_of_one_second_have_names_of_their_own(tmp_path: Path, folders: Folders) -> None:
    keep(folders, "heap")
    keep(folders, "heap")
    first, second = sorted(path.name for path in tmp_path.iterdir())
    assert second == f"{first}-2"


def test_what_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    folders = Folders(tmp_path, 1, 1000)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    keep(Folders(elsewhere, 1, 1000), "linked")
    (linked,) = elsewhere.iterdir()
    (tmp_path / "20200101-000000-link-1").symlink_to(linked)
    unmarked = tmp_path / "20200101-000000-unmarked-2"
    unmarked.mkdir()
    (unmarked / "report.txt").write_text("mine")
    strange = tmp_path / "20200101-000000-strange-3"
    strange.mkdir()
    (strange / ".memdash-evidence").write_text("{")
    forged = tmp_path / "20200101-000000-forged-4"
    forged.mkdir()
    (forged / ".memdash-evidence").symlink_to(linked / ".memdash-evidence")
    keep(folders, "noted", after_s=1)
    (noted,) = (path for path in tmp_path.iterdir() if "noted" in path.name)
    (noted / "notes.md").write_text("what we found out")
    keep(folders, "gone", after_s=2)
    keep(folders, "newest", after_s=3)
    names = {path.name for path in tmp_path.iterdir()}
    assert {path.name for path in (elsewhere, unmarked, strange, forged, noted)} < names
    assert "20200101-000000-link-1" in names
    assert (linked / "report.txt").exists()
    assert (noted / "report.txt").exists()
    assert not any("-gone-" in name for name in names)


def test_links_in_a_folder_are_removed_and_not_followed(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "evidence", 1, 1000)
    folders.prepare()
    precious = tmp_path / "precious"
    precious.write_text("kept")
    keep(folders, "old")
    (old,) = (tmp_path / "evidence").iterdir()
    (old / "report.txt").unlink()
    (old / "report.txt").symlink_to(precious)
    keep(folders, "new", after_s=1)
    assert kept(tmp_path / "evidence") == {"new"}
    assert precious.read_text() == "kept"


def test_what_was_abandoned_is_removed_and_what_is_under_way_is_not(tmp_path: Path, folders: Folders) -> None:
    for name, age_s in (("old", 7200.0), ("young", 0.0)):
        path = tmp_path / f".memdash-unfinished-{name}"
        path.mkdir()
        (path / "report.txt").write_text("half")
        os.utime(path, (time.time() - age_s,) * 2)
    folders.prepare()
    assert [path.name for path in tmp_path.iterdir()] == [".memdash-unfinished-young"]


def test_a_place_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(HookError, match="cannot be written to"):
            Folders(place, 1, 1).prepare()


def test_the_name_of_a_rule_or_a_target_leads_nowhere(tmp_path: Path, folders: Folders) -> None:
    finding = transition("../../etc/passwd\n").finding
    with folders.made(a_target(name="../x\x1b[31m"), finding, NOON_S):
        pass
    (made,) = tmp_path.iterdir()
    assert made.parent == tmp_path
    assert made.name.isascii()
    assert made.name.isprintable()
    assert "/" not in made.name


@pytest.mark.parametrize(
    "marker",
    [
        *(b"", b"null", b"[]", b'"a"', b"{}", b"[" * 4000, b'{"a":' * 800, b"\xff\xfe", b"{" + b" " * 5000 + b"}"),
        *(b'{"severity": %b, "at_s": 1767000000}' % said for said in (b"Infinity", b"1e999", b"99", b'"2"', b"null")),
        *(b'{"severity": 2, "at_s": %b}' % said for said in (b"NaN", b"Infinity", b"-1", b"1e300", b"[1]")),
        b'{"severity": 2, "at_s": 1' + b"0" * 400 + b"}",
    ],
)
def test_a_marker_that_says_nothing_of_sense_ranks_nothing(tmp_path: Path, folders: Folders, marker: bytes) -> None:
    """However grave and new it says it is: it neither takes a place, nor goes."""
    for number in range(4):
        other = tmp_path / f"20260101-12000{number}-heap-1"
        other.mkdir()
        private_file(other / ".memdash-evidence", marker)
    keep(folders, "ours", after_s=1)
    assert folders.takes(WARNING)
    assert {"ours", "heap"} == kept(tmp_path)


def test_a_place_that_was_taken_away_is_made_again(tmp_path: Path) -> None:
    root = tmp_path / "evidence"
    folders = Folders(root, 3, 1000)
    folders.prepare()
    root.rmdir()
    assert folders.takes(WARNING)
    keep(folders, "heap")
    assert kept(root) == {"heap"}
    assert root.stat().st_mode & 0o777 == 0o700


def test_a_place_that_goes_while_it_is_filled_is_an_error_and_nothing_else_is_touched(tmp_path: Path) -> None:
    root, moved = tmp_path / "evidence", tmp_path / "moved"
    folders = Folders(root, 3, 1000)
    folders.prepare()
    made = folders.made(a_target(), transition("heap", WARNING).finding, NOON_S)
    with contextlib.ExitStack() as filled:
        private_file(filled.enter_context(made) / "report.txt", b"")
        root.rename(moved)
        with pytest.raises(FileNotFoundError):
            filled.close()
    assert [path.name for each in moved.iterdir() for path in sorted(each.iterdir())] == [
        ".memdash-evidence",
        "report.txt",
    ]


@pytest.mark.parametrize("seed", range(6))
def test_in_a_place_full_of_odd_things_the_worst_are_kept_and_nothing_else_goes(tmp_path: Path, seed: int) -> None:
    chance, root, outside = random.Random(seed), tmp_path / "root", tmp_path / "outside"
    for each in (root, outside):
        each.mkdir()
    (outside / "run.mdr").write_text("not ours to remove")
    private_file(outside / ".memdash-evidence", b'{"severity": 1, "at_s": 1}')
    theirs = set()
    for number in range(40):
        stem = chance.choice(("20260101-120000-heap-", ".memdash-unfinished-", "\x1b[31m", "\udcff", "a\nb", "-rf "))
        path = root / f"{stem}{number}"
        match chance.randrange(4):
            case 0:
                path.symlink_to(outside)
            case 1:
                path.write_bytes(b"x")
            case 2:
                os.mkfifo(path)
            case 3:
                path.mkdir()
                private_file(path / ".memdash-evidence", b'{"severity": 1, "at_s": 1}')
                (path / chance.choice(("of somebody", "run.mdr.orig", "\udcff"))).mkdir()
        if not path.is_symlink():
            os.utime(path, (1, 1))
        theirs.add(path.name)
    folders = Folders(root, 2, 1000)
    folders.prepare()
    for number in range(5):
        keep(folders, f"ours{number}", CRITICAL, number)
    assert theirs < {path.name for path in root.iterdir()}
    assert {path.name.split("-")[2] for path in root.iterdir() if "ours" in path.name} == {"ours3", "ours4"}
    assert len(list(outside.iterdir())) == 2
