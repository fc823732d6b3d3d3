"""memdash run as a program of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

__all__ = ["loaded", "memdash", "of_a_screen", "offered"]

_TELLING = (
    "import sys; from memdash.cli import main; code = main(sys.argv[1:]); print(code, *sys.modules, file=sys.stderr)"
)
_HEAVY = {"textual", "rich", "plotext", "msgspec"}


def memdash(*argv: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the installed program."""
    return _run("-m", "memdash", *argv, env=env)


def offered(words: str) -> dict[str, str]:
    """What a shell is told to offer in place of the last of the words: its kind by the word."""
    asked = {"_MEMDASH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    lines = memdash(env=os.environ | asked).stdout.splitlines()
    return {word: kind for kind, _, word in (line.partition(",") for line in lines)}


def loaded(*argv: str) -> set[str]:
    """The modules that are there once memdash has done as it was told, which must succeed."""
    code, *modules = _run("-c", _TELLING, *argv).stderr.splitlines()[-1].split(" ")
    assert code == "0"
    return set(modules)


def of_a_screen(modules: set[str]) -> set[str]:
    """Those that only a screen needs."""
    return {name for name in modules if name.split(".")[0] in _HEAVY or f"{name}.".startswith("memdash.ui.")}


def _run(*argv: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *argv], env=env, capture_output=True, text=True, timeout=60, check=False)
