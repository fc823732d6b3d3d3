"""memdash run as a program of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import AnyStr

__all__ = ["SMALL", "asked_by_a_shell", "ended", "environment", "loaded", "memdash", "of_a_screen", "offers"]

_TELLING = """
import json, sys
from memdash.cli import main

for line in json.loads(sys.argv[1]):
    code = main(line)
    print(json.dumps([code, list(sys.modules)]), file=sys.stderr)
"""
SMALL = (sys.executable, "-S", "-c", "import time; print(flush=True); time.sleep(600)")
"""A program that says when it is there, and has next to nothing to be read."""

_HEAVY = {"textual", "rich", "plotext", "msgspec"}


def memdash(*argv: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the installed program."""
    return _run("-m", "memdash", *argv, env=env)


@contextmanager
def ended(program: subprocess.Popen[AnyStr]) -> Iterator[subprocess.Popen[AnyStr]]:
    """The program, killed on the way out: ``Popen`` alone would wait for one that a failed test has left running."""
    with program:
        try:
            yield program
        finally:
            program.kill()


def environment(folder: Path) -> dict[str, str]:
    """Ours, without the settings of whoever runs the tests: those of memdash are looked for in ``folder``."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("MEMDASH_", "TMUX"))}
    return ours | {"TERM": "xterm-256color", "XDG_CONFIG_HOME": str(folder)}


def asked_by_a_shell(words: str) -> dict[str, str]:
    """The variables by which a shell asks what it should offer in place of the last of the words."""
    return {"_MEMDASH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}


def offers(answer: str) -> dict[str, str]:
    """What it is told to: the kind by the word."""
    return {word: kind for kind, _, word in (line.partition(",") for line in answer.splitlines())}


def loaded(*lines: Sequence[str]) -> dict[str, set[str]]:
    """The modules that are there after each of the command lines, done in one process; all must succeed."""
    said = _run("-c", _TELLING, json.dumps(lines)).stderr.splitlines()
    told = [json.loads(line) for line in said if line.startswith("[")]  # and not what memdash has to say
    assert [code for code, _ in told] == [0] * len(lines)
    return {" ".join(line): set(modules) for line, (_, modules) in zip(lines, told, strict=True)}


def of_a_screen(modules: set[str]) -> set[str]:
    """Those that only a screen needs."""
    return {name for name in modules if name.split(".")[0] in _HEAVY or f"{name}.".startswith("memdash.ui.")}


def _run(*argv: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *argv], env=env, capture_output=True, text=True, timeout=60, check=False)
