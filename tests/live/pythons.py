"""The interpreters of this machine: those on PATH, those of pyenv and those that .ci/pythons brought, each once."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from memdash.probes.cpython.layouts import minors
from memdash.probes.cpython.layouts.headers import brought

__all__ = ["Python", "each", "pythons", "readable", "spread"]

_NAME = re.compile(r"python(\d)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter: its executable, and its version as far as the name of that tells."""

    executable: Path
    major: int
    minor: int

    def __str__(self) -> str:
        return str(self.executable)


def _executables() -> Iterator[Path]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    installed = (*sorted(pyenv.glob("versions/*/bin")), *(prefix / "bin" for prefix in brought()))
    for folder in (*map(Path, os.get_exec_path()), *installed):
        yield from sorted(path for path in folder.glob("python?.*") if _NAME.fullmatch(path.name))


def _is_program(path: Path) -> bool:
    """Not a script that starts another one, as pyenv puts them on PATH."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False


def pythons() -> list[Python]:
    """All of them, also those too old for memdash, lowest first."""
    found: dict[Path, Python] = {}
    for path in _executables():
        match = _NAME.fullmatch(path.name)
        if match and _is_program(path):
            found.setdefault(path.resolve(), Python(path.resolve(), int(match[1]), int(match[2])))
    return sorted(found.values(), key=lambda python: (python.major, python.minor, str(python)))


DAILY = (8, 11, 13, 15)
"""Minors that between them keep what is read in all the ways there are; ``-m matrix`` takes the others."""


def readable(daily: Collection[int] = DAILY) -> Sequence[object]:
    """Those that memdash reads as test parameters; a minor of which there is none is a skipped one.

    The default run takes one of each minor in ``daily`` (all minors where the machine has none of these), and
    ``-m matrix`` the others.
    """
    known = [python for python in pythons() if python.major == 3 and python.minor in minors()]
    absent = sorted(set(minors()) - {python.minor for python in known})
    if not any(python.minor in daily for python in known):
        daily = minors()
    firsts = {python.minor: python for python in reversed(known)}

    def marks(minor: int, *, is_first: bool) -> tuple[pytest.MarkDecorator, ...]:
        return () if minor in daily and is_first else (pytest.mark.matrix,)

    return [
        pytest.param(python, id=str(python), marks=marks(python.minor, is_first=python is firsts[python.minor]))
        for python in known
    ] + [
        pytest.param(
            None,
            id=f"python3.{minor}",
            marks=(
                *marks(minor, is_first=True),
                pytest.mark.skip(f"python3.{minor} is neither on PATH nor in pyenv, nor has .ci/pythons brought it"),
            ),
        )
        for minor in absent
    ]


def each(daily: Collection[int] = DAILY, scope: Literal["function", "module"] = "function") -> object:
    """A fixture that is one after the other of those that ``readable`` gives: ``python = each()``."""

    @pytest.fixture(params=readable(daily), scope=scope)
    def python(request: pytest.FixtureRequest) -> Python:
        found: Python = request.param
        return found

    return python


def spread(count: int | None = None) -> list[Python]:
    """So many of those that memdash reads, from the oldest to the newest, or all; SystemExit where there is none."""
    known = [python for python in pythons() if (python.major, python.minor) >= (3, 8)]
    if not known:
        raise SystemExit("there is no Python to look at: put a python3.N on PATH, or install one with pyenv")
    if count is None:
        return known
    return [known[number * (len(known) - 1) // (count - 1)] for number in range(count)]
