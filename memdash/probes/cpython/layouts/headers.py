"""The headers of the CPythons at hand: where they are, and what a C program compiled against them says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from platformdirs import user_cache_path

from memdash.errors import LayoutRefused, UsageError
from memdash.probes.cpython.layouts.layout import Layout
from memdash.process.struct_type import StructType

__all__ = ["Headers", "at_hand", "brought", "in_folder", "measure"]

_PROGRAM = Path(__file__).parent / "offsets.c"
_VERSION = re.compile(r'^#define\s+PY_VERSION\s+"(3\.(\d+)\.(\d+)\S*)"', re.MULTILINE)


class Headers(NamedTuple):
    """The folder that holds Python.h and internal/, and the release these are of."""

    folder: Path
    version: str
    minor: int
    micro: int


def in_folder(folder: Path) -> Headers | None:
    """The headers in ``folder``; None when there are none, or not the internal ones."""
    try:
        match = _VERSION.search((folder / "patchlevel.h").read_text(encoding="utf-8"))
    except OSError:
        return None
    if match is None or not (folder / "internal/pycore_pystate.h").exists():
        return None
    return Headers(folder, match[1], int(match[2]), int(match[3]))


def at_hand() -> dict[int, Headers]:
    """By minor, the headers beside the interpreters on PATH, in pyenv and brought; of two releases the older one.

    The older one is what a machine is the more likely to keep: it is what the files were made from.
    """
    found: dict[int, Headers] = {}
    for folder in _folders():
        headers = in_folder(folder)
        if headers and (headers.minor not in found or headers.micro < found[headers.minor].micro):
            found[headers.minor] = headers
    return found


def brought() -> list[Path]:
    """The prefixes of the interpreters that ``.ci/pythons`` has put into the user's cache or ``$MEMDASH_PYTHONS``."""
    folder = Path(os.environ.get("MEMDASH_PYTHONS") or user_cache_path("memdash-pythons"))
    return sorted(folder.glob("*/usr"))


def _folders() -> Iterator[Path]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    beside = {Path(folder).resolve().parent for folder in os.get_exec_path()}
    for prefix in (*sorted(beside), *sorted(pyenv.glob("versions/*")), *brought()):
        yield from sorted(prefix.glob("include/python3.*"))


def measure(headers: Headers) -> Layout:
    """Compile the program that prints offsets, run it, and take in what it says. Raises UsageError, LayoutRefused."""
    compiler = shutil.which(os.environ.get("CC") or "cc")
    if compiler is None:
        raise UsageError("there is no C compiler", "apt install gcc libc6-dev")
    folder = headers.folder
    # Debian's pyconfig.h is in a folder of the architecture beside them.
    includes = [f"-I{folder}", f"-I{folder}/internal", f"-idirafter{folder.parent}"]
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "offsets"
        command = [compiler, "-w", *includes, *_architecture_folders(folder), str(_PROGRAM), "-o", str(program)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the machine's own compiler
        if done.returncode:
            first_words = next((line for line in done.stderr.splitlines() if "error" in line), "it said nothing")
            raise LayoutRefused(f"the headers of CPython {headers.version} do not compile", first_words)
        said = subprocess.run([program], capture_output=True, text=True, check=True)  # noqa: S603 - just compiled
    return _parsed(said.stdout)


def _architecture_folders(folder: Path) -> list[str]:
    return [f"-idirafter{path.parent.parent}" for path in folder.parent.glob(f"*-linux-gnu/{folder.name}/pyconfig.h")]


def _parsed(text: str) -> Layout:
    """The three kinds of lines that offsets.c describes."""
    version, structs, constants = "", dict[str, StructType](), dict[str, int]()
    members: dict[str, int] = {}
    for line in text.splitlines():
        kind, rest = line.split(" ", 1)
        name, _, number = rest.rpartition(" ")
        match kind:
            case "version":
                version = rest
            case "struct":
                members = {}
                structs[name] = StructType(int(number), members)
            case "member":
                members[name] = int(number)
            case "constant":
                constants[name] = int(number)
    return Layout(version, structs, constants)
