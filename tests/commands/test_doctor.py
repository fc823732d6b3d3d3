import subprocess
from collections.abc import Callable

import pytest

from memdash.cli import main
from memdash.errors import UnsupportedRuntime
from memdash.model.target import Target
from memdash.probes.cpython.sampler import fitting

Start = Callable[..., "subprocess.Popen[bytes]"]


def test_says_of_each_way_whether_it_works_and_what_it_costs(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    child = start("sleep", "60")
    assert main(["doctor", str(child.pid)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"sleep, pid {child.pid}, of user ")
    assert "go: no" in lines
    assert "system: yes" in lines
    assert any(line.startswith("  system.process: read in ") and line.endswith(" of CPU time") for line in lines)


@pytest.mark.parametrize(
    ("pid", "code", "words"), [("99999999", 3, "no process has pid 99999999"), ("x", 2, "'x' is not a pid")]
)
def test_what_cannot_be_examined_is_an_error(
    pid: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--pid", pid]) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert words in told.err
    assert "try:" in told.err


def test_a_zombie_is_named_as_one(zombie: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(zombie)]) == 5
    assert "a zombie" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("is_there", "words"),
    [
        (True, "its heap can be sampled by sampler-z80-glibc.so; built too: sampler-z80-musl.so\n"),
        (False, "no heap sampler: nothing suits\n    try: do without\n"),
    ],
)
def test_says_whether_a_heap_can_be_sampled(
    small: "subprocess.Popen[bytes]",
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_there: bool,
    words: str,
) -> None:
    def found(_: Target) -> fitting.Fitting:
        if is_there:
            return fitting.Fitting("sampler-z80-glibc.so", b"")
        raise UnsupportedRuntime("nothing suits", "do without")

    monkeypatch.setattr(fitting, "fitting", found)
    monkeypatch.setattr(fitting, "built", lambda: ("sampler-z80-glibc.so", "sampler-z80-musl.so"))
    assert main(["doctor", str(small.pid)]) == 0
    assert f"  {words}" in capsys.readouterr().out
