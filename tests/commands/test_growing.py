"""Where a log goes: nothing of anybody else's is touched, lines are whole, and there are never too many files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from memdash.commands.growing import GrowingFile
from memdash.errors import UsageError


def opened(
    path: Path, *, appends: bool = False, replaces: bool = False, most: int | None = None, kept: int = 2
) -> GrowingFile:
    return GrowingFile(path, appends=appends, replaces=replaces, most_bytes=most, kept=kept, head=b"head\n")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memdash.log"


def test_it_belongs_to_us_alone(path: Path) -> None:
    opened(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"head\n"


def test_a_file_that_is_there_is_gone_on_with_or_begun_anew_when_asked(path: Path) -> None:
    path.write_bytes(b"old\n")
    with pytest.raises(UsageError, match="exists already"):
        opened(path)
    file = opened(path, appends=True)
    file.write(b"new\n")
    file.close()
    assert path.read_bytes() == b"old\nnew\n"
    opened(path, replaces=True).close()
    assert path.read_bytes() == b"head\n"


def test_a_large_one_gives_way(path: Path) -> None:
    file = opened(path, most=25)
    for number in range(10):
        file.write(b"line %04d\n" % number)
    file.close()
    names = sorted(each.name for each in path.parent.iterdir())
    assert names == ["memdash.log", "memdash.log.1", "memdash.log.2"]
    assert path.read_bytes() == b"head\nline 0008\nline 0009\n"
    assert path.with_name("memdash.log.2").read_bytes() == b"head\nline 0004\nline 0005\n"


def test_none_may_be_kept(path: Path) -> None:
    file = opened(path, most=25, kept=0)
    for number in range(5):
        file.write(b"line %04d\n" % number)
    file.close()
    assert [each.name for each in path.parent.iterdir()] == ["memdash.log"]
    assert path.read_bytes() == b"head\nline 0004\n"


def test_a_line_larger_than_a_file_stands_alone(path: Path) -> None:
    file = opened(path, most=10)
    file.write(b"a" * 100 + b"\n")
    file.write(b"b\n")
    file.close()
    assert path.read_bytes() == b"head\nb\n"


def test_what_others_keep_beside_it_is_not_pushed_out(path: Path) -> None:
    path.with_name("memdash.log.2").write_bytes(b"mine\n")
    with pytest.raises(UsageError, match=r"memdash\.log\.2 exists already"):
        opened(path, most=25)
    assert not path.exists()
    opened(path).close()


def test_after_it_was_moved_away_lines_go_into_a_new_one(path: Path) -> None:
    file = opened(path)
    file.write(b"one\n")
    moved = path.rename(path.with_name("old"))
    file.write(b"two\n")
    file.reopen()
    file.write(b"three\n")
    file.close()
    assert (moved.read_bytes(), path.read_bytes()) == (b"head\none\ntwo\n", b"head\nthree\n")


def test_of_a_line_that_does_not_fit_nothing_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = opened(path)
    file.write(b"whole\n")
    real, room = os.write, [2]

    def full(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        written = real(descriptor, data[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        file.write(b"half\n")
    room[0] = 100
    file.write(b"again\n")
    file.close()
    assert path.read_bytes() == b"head\nwhole\nagain\n"


def test_a_full_disk_pushes_no_older_one_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = opened(path, most=25)
    for number in range(6):
        file.write(b"line %04d\n" % number)
    there = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    real, descriptors = os.write, len(list(Path("/proc/self/fd").iterdir()))

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    for _ in range(5):
        with pytest.raises(OSError, match="No space"):
            file.write(b"lost\n")
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == there
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    monkeypatch.setattr(os, "write", real)
    file.write(b"again\n")
    file.close()
    assert path.read_bytes() == b"head\nagain\n"
    assert path.with_name("memdash.log.1").read_bytes() == there["memdash.log"]


def test_one_that_was_taken_away_makes_the_others_no_older(path: Path) -> None:
    file = opened(path, most=25)
    for number in range(4):
        file.write(b"line %04d\n" % number)
    before = path.with_name("memdash.log.1").read_bytes()
    path.unlink()
    file.write(b"line 0004\n")
    file.close()
    assert (path.read_bytes(), path.with_name("memdash.log.1").read_bytes()) == (b"head\nline 0004\n", before)


def test_no_line_goes_into_a_file_that_was_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    file = opened(folder / "memdash.log")
    file.write(b"one\n")
    (folder / "memdash.log").unlink()
    folder.rmdir()
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            file.write(b"two\n")
    folder.mkdir()
    file.write(b"three\n")
    file.close()
    assert (folder / "memdash.log").read_bytes() == b"head\nthree\n"


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a directory that can be written to"):
        opened(tmp_path / "nowhere" / "log")
    with pytest.raises(UsageError, match="exists already"):
        opened(tmp_path)


def test_a_device_is_written_to() -> None:
    file = opened(Path("/dev/null"), replaces=True)
    file.write(b"line\n")
    file.close()
    assert Path("/dev/null").is_char_device()
