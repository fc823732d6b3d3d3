"""Who does not let a script in is told apart, and what the short process loads is little."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import memdash
from memdash.model.missing import Missing
from memdash.model.target import Target
from memdash.probes.cpython.inject import refusals
from memdash.probes.cpython.inject.injection import Injection
from memdash.probes.cpython.inject.progress import Progress, Stage
from tests.fakes import a_target
from tests.waiting import until


def target_of(uid: int) -> Target:
    return Target(pid=1, start_ticks=1, started_at_s=0, name="", argv=(), exe="", exe_id=(1, 1), uid=uid)


@pytest.mark.parametrize(
    ("ours", "theirs", "scope", "what", "hint"),
    [
        (1000, 33, "0", "it belongs to another user (uid 33)", "run memdash as that user, or with sudo"),
        (1000, 1000, "1", "kernel.yama.ptrace_scope is 1: only root may", "memdash -- COMMAND"),
        (1000, 1000, "0", "the kernel does not let memdash write to it", "SYS_PTRACE"),
        (0, 33, "1", "the kernel does not let memdash write to it", "SYS_PTRACE"),
        (1000, 1000, None, "the kernel does not let memdash write to it", "SYS_PTRACE"),
    ],
)
def test_a_closed_memory_says_whose_and_why(
    ours: int, theirs: int, scope: str | None, what: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ours)
    monkeypatch.setattr(refusals, "_YAMA", tmp_path / "ptrace_scope")
    if scope is not None:
        (tmp_path / "ptrace_scope").write_text(f"{scope}\n")
    error = refusals.closed_memory(target_of(theirs))
    assert error.what.startswith(what)
    assert hint in error.hint


def test_progress_is_told_in_a_line() -> None:
    progress = Progress(Stage.WAITING, "waiting for it to wake, blocked in read", "a hint\nof two lines")
    assert progress.line().count(b"\n") == 1
    assert Progress.of(progress.line()) == progress


def test_the_short_process_loads_neither_screen_nor_command_line() -> None:
    code = (
        "import sys, memdash.probes.cpython.inject.__main__; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-S", "-P", "-c", code]
    root = str(Path(memdash.__file__).parent.parent)
    loaded = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": root}, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()
    assert set(loaded) <= {"memdash", *sys.stdlib_module_names, "__main__", "_sysconfigdata__linux_x86_64-linux-gnu"}
    assert not {"subprocess", "threading", "asyncio"} & set(loaded)


@pytest.mark.parametrize("line", [b"\xff\xfe", b"5", b"null", b"[1, 2]", b"{}", b"[[], 2, 3]", b"[" * 100_000, b""])
def test_an_odd_line_is_a_value_error_and_nothing_else(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Progress.of(line)


class OddWords(Injection):
    """The process that was to do it says something else."""

    def _start(self, verb: str) -> subprocess.Popen[bytes]:
        words = r"printf '\377\376\n5\n'; read -r _"
        return subprocess.Popen(["/bin/sh", "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


def test_an_injection_that_talks_nonsense_has_failed() -> None:
    with closing(OddWords(a_target(), "a script")) as injection:
        until(lambda: injection.poll().stage is not Stage.RUNNING, "its end")
        state = injection.state()
    assert isinstance(state, Missing)
    assert "has been killed" in state.why
