"""Packages that memdash has nothing to do with, for any Python of this machine: for programs as users run them.

They are unpacked into a folder of the cache, once for each minor, by the pip of the tests: so the interpreter needs
neither pip nor venv, and nothing is built.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from tests.live.pythons import Python

__all__ = ["joined", "packages_for", "required"]

_PATIENCE_S = 180


@cache
def packages_for(python: Python, *names: str) -> Path | str:
    """A folder for PYTHONPATH with these and all that they need, or in a clause why there is none."""
    minor = f"{python.major}.{python.minor}"
    folder = user_cache_path("memdash") / "test-packages" / "-".join((minor, *names))
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    try:
        try:
            _pip("--python", python.executable, "install", "--target", made, *names)
        except subprocess.CalledProcessError:  # pip itself does not run on a Python that is newer than it is
            _pip("install", "--python-version", minor, "--target", made, *names)
        made.rename(folder)
    except (subprocess.SubprocessError, OSError) as error:
        if folder.exists():  # another test has brought them meanwhile
            return folder
        return f"{', '.join(names)} cannot be installed for Python {minor}: {type(error).__name__}"
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _pip(*arguments: str | Path) -> None:
    """Without the constraints of memdash's own environment. Raises CalledProcessError, TimeoutExpired, OSError."""
    subprocess.run(
        (sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check", "--only-binary=:all:"),
        check=True,
        capture_output=True,
        timeout=_PATIENCE_S,
        env={name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"},
    )


def required(python: Python, *names: str) -> Path:
    """That folder, or a skip with the reason why there is none."""
    found = packages_for(python, *names)
    if isinstance(found, str):
        pytest.skip(found)
    return found


def joined(one: Mapping[str, str], other: Mapping[str, str]) -> Mapping[str, str]:
    """Both environments: what either has on its PYTHONPATH can be imported."""
    paths = [each["PYTHONPATH"] for each in (one, other) if "PYTHONPATH" in each]
    return {**one, **other, "PYTHONPATH": os.pathsep.join(paths)}
