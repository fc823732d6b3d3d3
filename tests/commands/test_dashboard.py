"""The dashboard's commands in a real terminal: what is left behind, and with which code."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memdash.commands.toolchain import find_toolchain
from memdash.errors import MemdashError
from memdash.pprof.encode import encode
from memdash.recording.reader import Recording
from tests.pprof.documents import of_stacks
from tests.terminals import ALTERNATE, USUAL, Terminal

pytestmark = pytest.mark.terminal


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    with contextlib.ExitStack() as opened:
        yield lambda *argv: opened.enter_context(Terminal(tmp_path, *argv))


OpenTerminal = Callable[..., Terminal]


def test_a_running_process_is_watched_until_q_and_recorded(
    open_terminal: OpenTerminal, start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    sleeper, path = start("sleep", "60"), tmp_path / "run.mdr"
    terminal = open_terminal(str(sleeper.pid), "--record", str(path))
    terminal.opens()
    terminal.child.send("q")
    code, tail = terminal.ends()
    assert code == 0
    assert f"into {path}".encode() in tail.split(USUAL)[-1]
    assert sleeper.poll() is None
    recording = Recording.open(path)
    assert recording.run.target.pid == sleeper.pid
    assert list(recording.moments(0, 1e11))
    recording.close()


def test_from_a_master_the_keys_lead_to_its_worker_and_back(
    open_terminal: OpenTerminal, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    code = "import os\npid = os.fork()\nif pid: print(pid, flush=True)\nos.read(0, 1)"
    master = start(sys.executable, "-c", code)
    assert master.stdout is not None
    worker = int(master.stdout.readline())
    terminal = open_terminal(str(master.pid))
    terminal.opens()
    terminal.shows("process 1 of 2")
    terminal.child.send(">")
    terminal.shows(f"pid {worker}  process 2 of 2")
    terminal.child.send("T")
    terminal.shows("Process tree")
    terminal.shows(f"forked from {master.pid}")
    terminal.child.send("k\r")
    terminal.shows(f"pid {master.pid}  process 1 of 2")
    terminal.child.send("q")
    assert terminal.ends()[0] == 0


def test_without_a_process_one_is_picked(
    open_terminal: OpenTerminal, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    sleeper = start("sleep", "60.0625")
    terminal = open_terminal()
    terminal.child.expect_exact(ALTERNATE)
    terminal.child.send("60.0625")
    terminal.child.expect(rb"\D1 of \d+ processes")
    terminal.child.send("\r")
    terminal.shows(f"pid {sleeper.pid}")
    terminal.child.send("q")
    assert terminal.ends()[0] == 0


def test_an_alert_rings_the_terminal_and_tells_the_desktop(
    open_terminal: OpenTerminal, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    sleeper = start("sleep", "60")
    terminal = open_terminal(str(sleeper.pid), "--bell", "--notify", "--max", "rss=4KiB")
    words = rf"sleep \(pid {sleeper.pid}\): WARN RSS > 4KiB: RSS "
    terminal.child.expect(rb"\x07\x1b(\]9;|\]777;notify;memdash;)" + words.encode())
    terminal.child.send("q")
    assert terminal.ends()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(
    open_terminal: OpenTerminal, start: Callable[..., subprocess.Popen[bytes]], number: signal.Signals
) -> None:
    terminal = open_terminal("--pid", str(start("sleep", "60").pid))
    terminal.opens()
    terminal.child.kill(number)
    code, tail = terminal.ends()
    assert code == 128 + number
    assert USUAL in tail
    assert b"Traceback" not in tail


def test_a_command_is_watched_and_its_output_kept(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    terminal = open_terminal("--", "sh", "-c", "echo hello; trap 'exit 9' TERM; sleep 60 & wait")
    terminal.opens()
    terminal.child.send("q")
    code, tail = terminal.ends()
    assert code == 9
    log = next(tmp_path.glob("memdash-*.log"))
    assert log.read_text() == "hello\n"
    assert f"memdash: what it printed is in {log}".encode() in tail.split(USUAL)[-1]


def test_a_command_gets_the_signal_that_ends_memdash(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = "trap 'echo hung up; exit 4' HUP; sleep 60 & wait"
    terminal = open_terminal("run", "--output-to", str(log), "--", "sh", "-c", command)
    terminal.opens()
    terminal.child.kill(signal.SIGHUP)
    code, tail = terminal.ends()
    assert code == 4
    assert log.read_text() == "hung up\n"
    assert USUAL in tail


def test_a_command_that_ends_at_once_passes_on_its_code_and_words(open_terminal: OpenTerminal) -> None:
    code, tail = open_terminal("--", "sh", "-c", "echo no such luck; exit 7").ends()
    assert code == 7
    assert b"no such luck" in tail
    assert ALTERNATE not in tail


def test_ctrl_c_before_there_is_anything_to_see_reaches_the_command(
    open_terminal: OpenTerminal, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    terminal = open_terminal("--", "sh", "-c", f"trap 'exit 5' INT; echo >{ready}; sleep 60 & wait")
    ready.read_text()
    terminal.child.send("\x03")
    code, tail = terminal.ends()
    assert code == 5
    assert b"Traceback" not in tail


def test_a_command_that_does_not_exist_is_a_usage_error(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    code, tail = open_terminal("--", "no-such-command").ends()
    assert code == 2
    assert b"there is no command 'no-such-command'" in tail
    assert list(tmp_path.glob("*.log")) == []


def test_a_theme_that_does_not_exist_is_a_usage_error(open_terminal: OpenTerminal) -> None:
    code, tail = open_terminal("--theme", "colour-blind-drak", str(os.getpid())).ends()
    assert code == 2
    assert b"did you mean colour-blind-dark?" in tail
    assert ALTERNATE not in tail


def test_waiting_for_a_process_ends_with_ctrl_c(open_terminal: OpenTerminal) -> None:
    terminal = open_terminal("--wait-for", "no process has this name")
    terminal.shows("waiting for a process")
    terminal.child.send("\x03")
    assert terminal.ends()[0] == 130


@pytest.mark.live
def test_the_demo_leaks_before_ones_eyes_and_leaves_nothing_behind(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    try:
        find_toolchain()
    except MemdashError as error:
        pytest.skip(error.what)
    terminal = open_terminal("demo", "-i", "200ms")
    terminal.child.expect(rb"pid (\d+)", timeout=180)  # the first build may have to compile Go's library
    assert isinstance(terminal.child.match, re.Match)
    server = int(terminal.child.match[1])
    terminal.shows("main.(*store).add")
    terminal.child.send("q")
    code, tail = terminal.ends()
    assert code == 0
    assert b"memdash:" not in tail
    assert not Path(f"/proc/{server}").exists()
    assert list(tmp_path.glob("*.log")) == []


def test_a_flame_of_a_file_opens_where_there_is_a_terminal(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    path, base = tmp_path / "heap.pb.gz", tmp_path / "base.pb.gz"
    path.write_bytes(encode(of_stacks({"main > add": 800, "main > log": 200})))
    base.write_bytes(encode(of_stacks({"main > add": 300})))
    terminal = open_terminal("flame", str(path), "--diff-base", str(base), "--ascii")
    terminal.child.expect_exact(ALTERNATE)
    terminal.shows("since base.pb.gz")
    terminal.child.send("jj")
    terminal.shows("! grew +500 B")
    terminal.child.send("q")
    code, tail = terminal.ends()
    assert code == 0
    assert USUAL in tail


def test_a_flame_is_text_when_that_is_asked_for(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    path = tmp_path / "heap.pb.gz"
    path.write_bytes(encode(of_stacks({"main > add": 800})))
    terminal = open_terminal("flame", "--text", str(path))
    code, tail = terminal.ends()
    assert code == 0
    assert b"held%" in tail
    assert ALTERNATE not in tail


def test_what_is_wrong_with_a_profile_is_said_before_a_screen_opens(
    open_terminal: OpenTerminal, tmp_path: Path
) -> None:
    (tmp_path / "none.pb.gz").write_bytes(b"nonsense")
    for argv, code, words in (
        (("flame", str(tmp_path / "none.pb.gz")), 2, b"none.pb.gz"),
        (("flame", str(tmp_path / "missing")), 2, b"there is no file"),
        (("flame", "--theme", "nothing", str(tmp_path / "missing")), 2, b"there is no theme"),
    ):
        ended, tail = open_terminal(*argv).ends()
        assert (ended, words in tail, ALTERNATE in tail) == (code, True, False), tail
