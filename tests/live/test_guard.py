"""What runs in a target neither fails there nor keeps what is the program's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from memdash.probes.cpython.agent.script import agent_text, first_text, guarded_text
from tests.live.pythons import Python, each

pytestmark = pytest.mark.live

PROGRAM = """
import builtins, os, resource, signal, sys, threading, time
class Tick(Exception): pass
def handler(number, frame): raise Tick
def leave(*words): sys.exit(3)
signal.signal(signal.SIGALRM, handler)
signal.signal(signal.SIGTERM, leave)
before = set(globals())
run = lambda text: exec(text)
def main(text):
    try:
        {prepared}
        globals()['run'](text)
        time.sleep({nap_s})
        print("nothing")
    except BaseException as error:
        print(type(error).__name__)
    left = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    print(sorted(left), signal.getsignal(signal.SIGINT) is signal.default_int_handler)
main(sys.argv[1])
"""


python = each((8, 14))


def result(python: Python, folder: Path, text: str, prepared: str = "pass", nap_s: float = 0.1) -> str:
    """What the program says; it must not complain."""
    (folder / "rest").write_text(text, "utf-8")
    first = first_text(f"{folder}/rest")
    program = PROGRAM.replace("{prepared}", prepared).replace("{nap_s}", str(nap_s))
    ended = subprocess.run(
        [python.executable, "-Werror", "-c", program, first], capture_output=True, timeout=60, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


RAISED = {
    "import _signal\n_signal.raise_signal(_signal.SIGALRM)": "Tick",
    "import _signal\n_signal.raise_signal(_signal.SIGTERM)": "SystemExit",
    "import _signal\n_signal.raise_signal(_signal.SIGINT)": "KeyboardInterrupt",
    "import _signal\n_signal.pthread_sigmask(2, ())\n_signal.raise_signal(_signal.SIGALRM)\nlen('')": "Tick",
}


@pytest.mark.parametrize("text", RAISED)
def test_what_a_handler_raises_meanwhile_reaches_the_program(python: Python, folder: Path, text: str) -> None:
    said = result(python, folder, guarded_text(text, f"{folder}/agent.socket"), nap_s=30)
    assert said == f"{RAISED[text]}\n[] True\n"
    assert not (folder / "why").exists()


def test_a_failure_of_ours_is_told_to_memdash_alone(python: Python, folder: Path) -> None:
    said = result(python, folder, guarded_text("1 / 0", f"{folder}/agent.socket"))
    assert said == "nothing\n[] True\n"
    assert (folder / "why").read_text() == "ZeroDivisionError: division by zero"


def test_an_agent_that_finds_nobody_says_why(python: Python, folder: Path) -> None:
    text = agent_text(f"{folder}/agent.socket", "token", str(folder), follows_forks=False)
    assert result(python, folder, text) == "nothing\n[] True\n"
    assert (folder / "why").read_text() == "FileNotFoundError: [Errno 2] No such file or directory"


@pytest.mark.parametrize(
    "prepared",
    [
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
        "globals()['run'] = lambda text: exec(text, {'__builtins__': {}})",
        "sys.modules['__future__'] = None",
    ],
)
def test_where_it_cannot_start_nothing_is_said(python: Python, folder: Path, prepared: str) -> None:
    text = agent_text(f"{folder}/agent.socket", "token", str(folder), follows_forks=False)
    assert result(python, folder, text, prepared) == "nothing\n[] True\n"
