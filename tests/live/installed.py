"""Packages that memdash has nothing to do with, in environments of their own: for programs as users run them."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

__all__ = ["python_with"]

_PATIENCE_S = 120
_kept: list[TemporaryDirectory[str]] = []
"""They go when the tests are over."""


def python_with(*packages: str) -> Path:
    """An interpreter of this very Python with these packages, or a skip with the reason why there is none."""
    found = _made(packages)
    if isinstance(found, str):
        pytest.skip(found)
    return found


@cache
def _made(packages: tuple[str, ...]) -> Path | str:
    _kept.append(TemporaryDirectory(prefix="installed-"))
    folder = Path(_kept[-1].name)
    python = folder / "bin/python"
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary=:all:",
        *packages,
    ]
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True)
        subprocess.run(pip, check=True, capture_output=True, timeout=_PATIENCE_S)
    except (subprocess.SubprocessError, OSError) as error:
        return f"{', '.join(packages)} cannot be installed: {type(error).__name__}"
    return python
