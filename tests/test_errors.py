"""What is no MemdashError comes out as one."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

import pytest

from memdash.errors import Defect, OutOfFiles, defects_told


@pytest.fixture(autouse=True)
def verbose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMDASH_DEBUG", "1")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_more_open_files_than_it_may_have_are_no_defect(number: int, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OutOfFiles) as told, defects_told():
        raise OSError(number, os.strerror(number), "/proc/self/statm")
    assert told.value.what == "memdash may open no more files: /proc/self/statm"
    assert told.value.exit_code == Defect.exit_code
    assert "Traceback" not in capfd.readouterr().err


def test_a_traceback_that_cannot_be_printed_hides_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.suppress(OSError), open("/dev/full", "w", buffering=1) as full:  # closing it fails once more
        monkeypatch.setattr(sys, "stderr", full)
        with pytest.raises(Defect, match="ZeroDivisionError"), defects_told():
            raise ZeroDivisionError
        monkeypatch.undo()
