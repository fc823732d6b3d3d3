"""What both verbs and screens write with; what verbs make of it is in tests/commands/test_output.py."""

import os
from pathlib import Path

import pytest

from memdash import files
from memdash.files import is_device, written


def test_a_file_that_is_there_or_comes_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with pytest.raises(FileExistsError), written(path, replaces=False):
        path.write_text("mine")
    with pytest.raises(FileExistsError), written(path, replaces=False):
        pass
    assert [*tmp_path.iterdir()] == [path]
    assert path.read_text() == "mine"
    with written(path, replaces=True) as out:
        out.write(b"yours")
    assert path.read_text() == "yours"


def test_devices_are_told_from_files(tmp_path: Path) -> None:
    assert is_device(Path("/dev/null"))
    assert not is_device(tmp_path)
    assert not is_device(tmp_path / "none")


def test_names_as_long_as_they_may_be(tmp_path: Path) -> None:
    with written(tmp_path / ("x" * 255), replaces=False) as out:
        out.write(b"data")
    assert [len(path.name) for path in tmp_path.iterdir()] == [255]


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_file_that_takes_the_place_of_another_is_open_to_no_more_people(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a"
    path.touch()
    path.chmod(mode)
    with written(path, replaces=True) as out:
        out.write(b"data")
    assert path.stat().st_mode & 0o777 == mode
    assert path.read_bytes() == b"data"


def test_a_pipe_is_written_to_once_somebody_reads_it_and_not_waited_for_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_PIPE_S", 0.0)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No such device"), written(pipe, replaces=False):
        pass
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with written(pipe, replaces=False) as out:
        out.write(b"data")
    assert os.read(reader, 10) == b"data"
    os.close(reader)
