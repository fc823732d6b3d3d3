import gc
from pathlib import Path

import pytest

from memdash.process.kept import KeptFile


def test_says_what_the_file_says_now(tmp_path: Path) -> None:
    path = tmp_path / "figures"
    path.write_text("1")
    kept = KeptFile(path)
    assert kept.read() == b"1"
    path.write_text("22")
    assert kept.read() == b"22"
    kept.close()
    kept.close()


def test_a_file_that_could_not_be_opened_says_so_each_time_and_holds_nothing_of_the_reader(tmp_path: Path) -> None:
    class Large:
        pass

    def read_once(kept: KeptFile) -> None:
        held = Large()
        with pytest.raises(FileNotFoundError):
            kept.read()
        assert isinstance(held, Large)

    kept = KeptFile(tmp_path / "none")
    for _ in range(20):
        read_once(kept)
    gc.collect()
    assert sum(isinstance(thing, Large) for thing in gc.get_objects()) <= 1
