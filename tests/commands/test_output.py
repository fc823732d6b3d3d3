import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.commands.output import check_output, tell, writing
from memdash.errors import UsageError


def test_a_file_appears_once_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    with writing(str(path), force=False) as out:
        out.write(b"all of it")
        assert not path.exists()
    assert path.read_bytes() == b"all of it"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with writing(str(tmp_path / "a"), force=False):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("force", [False, True])
def test_an_error_on_the_way_leaves_nothing_behind(tmp_path: Path, force: bool) -> None:
    with pytest.raises(ZeroDivisionError), writing(str(tmp_path / "a"), force):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_overwritten_only_with_force(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        check_output(str(path), force=False)
    with writing(str(path), force=True) as out:
        out.write(b"yours")
    assert path.read_text() == "yours"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with pytest.raises(UsageError, match="exists already"), writing(str(path), force=False):
        path.write_text("mine")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["", "no/such/folder/a"])
def test_a_place_that_cannot_be_written_to_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        check_output(str(tmp_path / name), force=True)


@pytest.mark.parametrize("force", [False, True])
def test_a_pipe_or_device_is_written_to_and_stays(force: bool) -> None:
    reader, writer = os.pipe()
    with writing(f"/dev/fd/{writer}", force) as out:
        out.write(b"data")
    os.close(writer)
    with open(reader, "rb") as pipe:
        assert pipe.read() == b"data"


def test_a_link_keeps_pointing_where_it_did(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    link = tmp_path / "link"
    link.symlink_to("there")
    with writing(str(link), force=True) as out:
        out.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "there").read_text() == "new"


def test_standard_output_is_a_dash(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with writing("-", force=False) as out:
        out.write(b"data")
    assert capfdbinary.readouterr().out == b"data"


def test_a_full_device_is_told_in_words() -> None:
    with (
        pytest.raises(UsageError, match="/dev/full cannot be written: No space left on device"),
        writing("/dev/full", force=False) as out,
    ):
        out.write(b"data")


def test_a_closed_or_full_standard_output_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(UsageError, match="standard output is closed"), writing("-", force=False):
        pass
    with contextlib.suppress(OSError), open("/dev/full", "w") as full:  # closing it fails once more
        monkeypatch.setattr("sys.stdout", full)
        with pytest.raises(UsageError, match="standard output cannot be written"), writing("-", force=False) as out:
            out.write(b"data")


def test_what_writes_nothing_there_does_without_standard_output(
    run: Callable[..., tuple[int, str, str]],
    small: subprocess.Popen[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    for words in (
        ("report", small.pid),
        ("profile", small.pid),
        ("doctor", small.pid),
        ("version",),
        ("ps", "--help"),
        ("-h",),
    ):
        code, _, err = run(*words)
        assert (code, "standard output is closed" in err) == (2, True)
    assert run("report", small.pid, "-o", tmp_path / "report")[0] == 0


def test_where_nobody_hears_what_is_told_that_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    has_gone_on = False
    with contextlib.suppress(OSError), open("/dev/full", "w") as full:  # closing it fails once more
        monkeypatch.setattr("sys.stderr", full)
        tell("the recording cannot be written, and goes on in memory")
        has_gone_on = True
    assert has_gone_on


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    with pytest.raises(BrokenPipeError), writing("/dev/null", force=False):
        raise BrokenPipeError
