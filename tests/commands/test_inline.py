"""The dashboard's other shapes in a real terminal: a screenful, a few lines, and none while memdash is stopped."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from tests.programs import environment
from tests.terminals import ALTERNATE, USUAL, Terminal

pytestmark = pytest.mark.terminal

Run = Callable[..., tuple[int, str, str]]
Start = Callable[..., subprocess.Popen[bytes]]
CTRL_Z, CTRL_C = "\x1a", "\x03"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator["pexpect.spawn[bytes]"]:
    """A shell with job control in a terminal of 120 × 40."""
    child: pexpect.spawn[bytes] = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile", "-i"],
        dimensions=(40, 120),
        timeout=30,
        env=environment(tmp_path) | {"PS1": "ready> ", "HISTFILE": ""},
    )
    child.expect_exact(b"ready> ")
    yield child
    child.close(force=True)


def _given(shell: "pexpect.spawn[bytes]", *argv: str) -> None:
    shell.sendline(" ".join((sys.executable, "-m", "memdash", *argv)))


def test_ctrl_z_gives_the_terminal_back_and_fg_the_dashboard(shell: "pexpect.spawn[bytes]", start: Start) -> None:
    _given(shell, str(start("sleep", "60").pid))
    shell.expect_exact(ALTERNATE)
    shell.expect_exact(b"Alerts")
    shell.send(CTRL_Z)
    shell.expect_exact(USUAL)
    shell.expect_exact(b"Stopped")
    shell.expect_exact(b"ready> ")
    shell.sendline("fg")
    shell.expect_exact(ALTERNATE)
    shell.expect_exact(b"Alerts")
    shell.send("q")
    shell.expect_exact(USUAL)
    shell.sendline("echo code $?")
    shell.expect_exact(b"code 0")


def test_without_a_shell_above_it_ctrl_z_stops_nothing(start: Start, tmp_path: Path) -> None:
    with Terminal(tmp_path, str(start("sleep", "60").pid)) as terminal:
        terminal.opens()
        terminal.child.send(CTRL_Z)
        terminal.shows("There is no shell")
        terminal.child.send("q")
        assert terminal.ends()[0] == 0


def test_a_few_lines_are_kept_up_to_date(shell: "pexpect.spawn[bytes]", start: Start) -> None:
    sleeper = start("sleep", "60")
    _given(shell, "--inline", str(sleeper.pid))
    shell.expect_exact(f"live · sleep · pid {sleeper.pid}".encode())
    shell.expect(rb"\x1b\[\dA\r\x1b\[J")  # drawn over what was there
    assert ALTERNATE not in (shell.before or b"")
    shell.send(CTRL_C)
    shell.expect_exact(b"ready> ")
    shell.sendline("echo code $?")
    shell.expect_exact(b"code 0")


def test_after_fg_a_few_lines_leave_what_the_shell_wrote(shell: "pexpect.spawn[bytes]", start: Start) -> None:
    sleeper = start("sleep", "60")
    _given(shell, "--inline", str(sleeper.pid))
    shell.expect(rb"\x1b\[\dA\r\x1b\[J")
    shell.send(CTRL_Z)
    shell.expect_exact(b"Stopped")
    shell.expect_exact(b"ready> ")
    shell.sendline("fg")
    shell.expect_exact(f"live · sleep · pid {sleeper.pid}".encode())
    assert b"A\r\x1b[J" not in (shell.before or b"")
    shell.send(CTRL_C)
    shell.expect_exact(b"ready> ")


def test_a_few_lines_want_a_terminal(run: Run) -> None:
    code, out, err = run("--inline", str(os.getpid()))
    assert (code, out) == (2, "")
    assert "--inline needs a terminal" in err
    assert run("--inline", "--once", str(os.getpid()))[0] == 2


def test_a_screenful_is_no_larger_than_the_screen(run: Run, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    sleeper = start("sleep", "60")
    code, out, err = run("--once", str(sleeper.pid))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert f"live · sleep · pid {sleeper.pid}" in lines[0]
    assert any(line.startswith("RSS ") for line in lines)
    assert len(lines) < 20
    assert max(map(len, lines)) <= 60
