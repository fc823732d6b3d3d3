"""Which object a process can load."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memdash.errors import NoSuchTarget, TargetExited, UnsupportedRuntime
from memdash.model.target import Target
from memdash.probes.cpython.sampler import fitting as module
from memdash.probes.cpython.sampler.build import build, file_name
from memdash.probes.cpython.sampler.fitting import Fitting, fitting
from memdash.process.elf import AARCH64, X86_64
from memdash.process.identity import identify
from memdash.process.maps import MappedFile, mapped_files
from tests.compilers import needs_compiler

MACHINE = os.uname().machine


@pytest.fixture
def us() -> Target:
    return identify(os.getpid())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One object for each C library of this machine, which loads nowhere."""
    for libc in ("glibc", "musl"):
        (tmp_path / file_name(MACHINE, libc)).write_text(libc)
    return tmp_path


def mapping(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the process have these files mapped, and no others."""

    def files(pid: int) -> Iterator[MappedFile]:
        for name in names:
            yield MappedFile(pid, 0, 0, f"/nowhere/{name}", False)

    monkeypatch.setattr(module, "mapped_files", files)


LIBRARIES = {
    "glibc": [("ld-linux-x86-64.so.2", "libc.so.6"), ("libc-2.17.so",), ("libpython3.11.so.1.0", "libc.so.6")],
    "musl": [("ld-musl-x86_64.so.1",), ("libc.musl-aarch64.so.1",), ("libc.so.6", "ld-musl-x86_64.so.1")],
}


@pytest.mark.parametrize(("libc", "names"), [(libc, names) for libc, each in LIBRARIES.items() for names in each])
def test_the_c_library_that_is_mapped_decides(
    us: Target, folder: Path, monkeypatch: pytest.MonkeyPatch, libc: str, names: tuple[str, ...]
) -> None:
    mapping(monkeypatch, *names)
    assert fitting(us, folder) == Fitting(file_name(MACHINE, libc), libc.encode())


def test_a_static_program_loads_nothing(us: Target, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping(monkeypatch, "python3.11", "libcrypt.so.1")
    with pytest.raises(UnsupportedRuntime, match="neither glibc nor musl"):
        fitting(us, folder)


def test_another_machine_has_no_object(us: Target, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MACHINES", {})
    with pytest.raises(UnsupportedRuntime, match="another machine"):
        fitting(us, folder)


@pytest.mark.parametrize(
    ("objects", "why", "remedy"),
    [
        ((), "want of a C compiler", "gcc"),
        (("sampler-z80-glibc.so",), "it has sampler-z80-glibc.so", "--all"),
    ],
)
def test_what_is_missing_is_said(us: Target, tmp_path: Path, objects: tuple[str, ...], why: str, remedy: str) -> None:
    for name in objects:
        (tmp_path / name).touch()
    with pytest.raises(UnsupportedRuntime, match=why) as caught:
        fitting(us, tmp_path)
    assert remedy in caught.value.hint


def test_a_damaged_object_is_not_handed_out(us: Target, folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(UnsupportedRuntime, match="damaged"):
        fitting(us, folder)


def test_a_process_that_has_gone_is_said_to_have(us: Target, folder: Path) -> None:
    with pytest.raises((TargetExited, NoSuchTarget)):
        fitting(replace(us, pid=2**22 + 1), folder)


@needs_compiler
def test_an_older_c_library_is_refused(us: Target, tmp_path: Path) -> None:
    built = build()
    if "musl" in built.name or not any("libc.so.6" in file.name for file in mapped_files(us.pid)):
        pytest.skip("versions of symbols are glibc's")
    there = Path(shutil.copy(built, tmp_path))
    assert fitting(us, tmp_path).content == built.read_bytes()
    content = there.read_bytes()
    assert content.count(b"GLIBC_2.17\0") == 1
    there.write_bytes(content.replace(b"GLIBC_2.17\0", b"GLIBC_2.99\0"))
    with pytest.raises(UnsupportedRuntime, match=r"asks for GLIBC_2\.99") as caught:
        fitting(us, tmp_path)
    assert "ziglang" in caught.value.hint


def test_the_executable_tells_the_machine(us: Target, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MACHINES", {X86_64: "z80", AARCH64: "z80"})
    mapping(monkeypatch, "libc.so.6")
    with pytest.raises(UnsupportedRuntime, match="z80 with glibc"):
        fitting(us, folder)
