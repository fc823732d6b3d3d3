"""Which of the built samplers a process can load: by its machine and its C library, which need not be ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from memdash.errors import BadRead, TargetError, UnsupportedRuntime
from memdash.model.target import Target
from memdash.probes.cpython.sampler.build import BUILT, file_name
from memdash.process.elf import AARCH64, X86_64, Elf
from memdash.process.maps import MappedFile, mapped_files

__all__ = ["Fitting", "built", "fitting"]

_MACHINES = {X86_64: "x86_64", AARCH64: "aarch64"}

_MUSL = re.compile(r"ld-musl-.*|libc\.musl-.*")
_GLIBC = re.compile(r"libc(?:\.so\.6|-2\.\d+\.so)")
"""Their files under all names that distributions give them. musl's loader is the library itself."""

_GLIBC_VERSION = re.compile(rb"GLIBC_\d+(?:\.\d+)+(?=\0)")
_LARGEST_BYTES = 1 << 20
_BUILD_ALL = "pip install ziglang; python -m memdash.probes.cpython.sampler.build --all"


@dataclass(frozen=True, slots=True)
class Fitting:
    """A shared object that a process can load: its file name, and what is in it."""

    name: str
    content: bytes


def built(folder: Path = BUILT) -> tuple[str, ...]:
    """The names of the objects that this memdash has; none where it was installed without a C compiler."""
    return tuple(sorted(path.name for path in folder.glob("sampler-*.so")))


def fitting(target: Target, folder: Path = BUILT) -> Fitting:
    """The object for a process, from its executable and what it has mapped: 1 ms.

    Raises UnsupportedRuntime with what to do when there is none, BadRead, AccessDenied, TargetExited.
    """
    machine = _machine_of(target.pid)
    libc, library = _libc_of(target.pid)
    name = file_name(machine, libc)
    content = _read(folder / name, machine, libc)
    if library is not None:
        _refuse_older(folder / name, library)
    return Fitting(name, content)


def _machine_of(pid: int) -> str:
    with Elf(f"/proc/{pid}/exe") as exe:
        machine = _MACHINES.get(exe.machine)
    if machine is None:
        raise UnsupportedRuntime("the heap sampler runs on x86-64 and aarch64, and this program is for another machine")
    return machine


def _libc_of(pid: int) -> tuple[str, MappedFile | None]:
    """Which it has loaded, and glibc's file. A glibc that is imitated on top of musl (gcompat) is musl."""
    files = list(mapped_files(pid))
    if any(_MUSL.fullmatch(file.name) for file in files):
        return "musl", None
    for file in files:
        if _GLIBC.fullmatch(file.name):
            return "glibc", file
    raise UnsupportedRuntime(
        "the program has loaded neither glibc nor musl, so it can load no heap sampler either",
        "run it with a Python that is linked dynamically",
    )


def _read(path: Path, machine: str, libc: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise _missing(machine, libc, built(path.parent)) from None
    except OSError as error:
        raise UnsupportedRuntime(f"the heap sampler {path.name} cannot be read: {error.strerror}") from None
    if not content or len(content) > _LARGEST_BYTES:
        raise UnsupportedRuntime(f"the heap sampler {path.name} is damaged", "install memdash anew")
    return content


def _missing(machine: str, libc: str, others: tuple[str, ...]) -> UnsupportedRuntime:
    if not others:
        return UnsupportedRuntime(
            "memdash has been installed without its sampler, for want of a C compiler or by MEMDASH_NO_NATIVE",
            "apt install gcc libc6-dev, then pip install --force-reinstall --no-cache-dir memdash",
        )
    return UnsupportedRuntime(
        f"memdash has no sampler for a program on {machine} with {libc}: it has {', '.join(others)}", _BUILD_ALL
    )


def _refuse_older(path: Path, library: MappedFile) -> None:
    """An object asks for versions of glibc by name. The target's loader would say so too, but to the target."""
    try:
        with Elf(path) as ours, library.open() as theirs:
            lacking = set(_versions(ours)) - set(_versions(theirs))
    except (UnsupportedRuntime, BadRead, TargetError):
        return  # replaced since, or stripped of its sections: the loader decides
    if lacking:
        newest = max(lacking, key=lambda version: [int(part) for part in version[6:].split(b".")]).decode()
        raise UnsupportedRuntime(
            f"the heap sampler asks for {newest}, and the program's C library is older",
            _BUILD_ALL,
        )


def _versions(elf: Elf) -> Iterator[bytes]:
    strings = elf.section_view(".dynstr")
    return iter(_GLIBC_VERSION.findall(strings)) if strings is not None else iter(())
