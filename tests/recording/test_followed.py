"""Whether somebody still records into a file, by the kernel's word."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.recording.followed import Followed

HOLDER = "import fcntl, sys; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX); print(flush=True); input()"


@pytest.fixture
def held(tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]) -> tuple[Path, subprocess.Popen[bytes]]:
    """A file, and the process that holds its lock."""
    path = tmp_path / "run.mdr"
    path.touch()
    holder = start(sys.executable, "-S", "-E", "-c", HOLDER, path)
    assert holder.stdout is not None
    holder.stdout.readline()
    return path, holder


def test_that_a_recorder_has_died_is_said_and_taken_back(held: tuple[Path, subprocess.Popen[bytes]]) -> None:
    path, holder = held
    followed = Followed(path)
    assert followed.cut_off(has_grown=True) == ""
    holder.kill()
    holder.wait()
    assert "Nobody records into run.mdr any more" in followed.cut_off(has_grown=False)
    path.rename(path.with_name("other.mdr"))
    assert "run.mdr has been moved or deleted" in followed.cut_off(has_grown=False)
    path.with_name("other.mdr").rename(path)
    assert "Nobody records" in followed.cut_off(has_grown=False), "it is back"


def test_of_what_did_not_grow_nothing_is_said(held: tuple[Path, subprocess.Popen[bytes]]) -> None:
    """Whoever marks a moment of it holds it too, for a moment."""
    path, holder = held
    followed = Followed(path)
    assert followed.cut_off(has_grown=False) == ""
    holder.kill()
    holder.wait()
    assert followed.cut_off(has_grown=True) == ""


@pytest.mark.parametrize(
    "told", ["", "1: FLOCK\n\n-> 2:\n", "\0" * 100, None], ids=["none", "torn", "nonsense", "no file"]
)
def test_where_nothing_is_told_of_locks_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str | None
) -> None:
    locks, path = tmp_path / "locks", tmp_path / "run.mdr"
    path.touch()
    if told is not None:
        locks.write_text(told)
    monkeypatch.setattr("memdash.recording.followed._LOCKS", locks)
    followed = Followed(path)
    assert followed.cut_off(has_grown=True) == ""
    path.unlink()
    assert followed.cut_off(has_grown=True) == ""
    assert Followed(path).cut_off(has_grown=True) == ""
    assert Followed(None).cut_off(has_grown=True) == ""
