import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.cli import main
from tests.programs import loaded, of_a_screen

Start = Callable[..., "subprocess.Popen[bytes]"]


def test_lists_a_process_with_what_can_be_read_of_it(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    child = start("sleep", "61.5")
    assert main(["ps"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.split()[0] == str(child.pid)]
    assert "system view" in line
    assert line.endswith("sleep 61.5")


def test_a_text_keeps_what_has_it(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    child = start("sleep", "61.5")
    start("sleep", "62.5")
    assert main(["ps", "SLEEP 61", "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["ps", "61.5", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["pid"], told["argv"], told["runtime"]) == (child.pid, ["sleep", "61.5"], "native")
    assert told["readable"] == ["family", "mappings", "smaps", "system"]
    assert told["refusals"]["go"]
    assert told["rss_bytes"] > 0


def test_nothing_found_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ps", "no-process-has-this"]) == 0
    assert capsys.readouterr().out == "no such process\n"


def test_names_of_processes_cannot_steer_the_terminal(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "\x1b[2J\n[red]evil"
    shutil.copy(shutil.which("sleep") or "", program)
    child = start(program, "60")
    assert main(["ps", "[red]evil"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    (line,) = (line for line in out.splitlines() if line.split()[0] == str(child.pid))
    assert line.endswith(r"\e[2J\n[red]evil 60")


def test_a_command_line_is_whole_in_a_pipe_and_cut_at_a_terminal(
    start: Start, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with ps aux: who greps for an argument must find it, however far behind it stands; always in one line."""
    child = start("sleep", *["0"] * 2000, "61.5", "\n0")

    def line() -> str:
        assert main(["ps", "61.5"]) == 0
        (found,) = (line for line in capsys.readouterr().out.splitlines() if line.split()[0] == str(child.pid))
        return str(found)

    assert line().endswith(r" 0 0 61.5 \n0")
    monkeypatch.setattr("memdash.commands.ps.is_terminal", lambda _stream: True)
    monkeypatch.setenv("COLUMNS", "100")
    cut = line()
    assert (len(cut), cut[-1]) == (100, "…")


def test_loads_no_screen() -> None:
    assert of_a_screen(loaded(["ps"])["ps"]) == set()
