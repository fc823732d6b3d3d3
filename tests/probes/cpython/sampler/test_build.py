"""The sampler as a part of the wheel: with a compiler and without, for this machine and for all."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from memdash.probes.cpython.sampler.build import BUILT, SOURCE, STRICT, Uncompiled, build, file_name, main
from tests.compilers import needs_compiler

ROOT = Path(__file__).parents[4]
ROOM = SOURCE.parent.relative_to(ROOT)
ALL = {file_name(machine, libc) for machine in ("x86_64", "aarch64") for libc in ("glibc", "musl")}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the build needs of memdash, in a folder of its own where nothing has been built."""
    folder = tmp_path / "project"
    (folder / ROOM).mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore", "memdash/__init__.py"):
        shutil.copy(ROOT / name, folder / name)
    for path in (*SOURCE.parent.glob("*.py"), SOURCE):
        shutil.copy(path, folder / ROOM / path.name)
    monkeypatch.delenv("MEMDASH_NO_NATIVE", raising=False)
    monkeypatch.delenv("CC", raising=False)
    return folder


def wheel_of(project: Path) -> tuple[str, set[str]]:
    """The tag of its wheel, and which objects that has."""
    made = Path(next(WheelBuilder(str(project)).build(directory=str(project / "dist"), versions=["standard"])))
    with zipfile.ZipFile(made) as archive:
        objects = {name.rpartition("/")[2] for name in archive.namelist() if name.endswith(".so")}
        assert f"{ROOM}/sampler.c" in archive.namelist()
    return made.stem.split("-", 2)[2], objects


def put_objects(project: Path) -> None:
    """As after ``build --all``."""
    (project / ROOM / "built").mkdir()
    for name in ALL:
        (project / ROOM / "built" / name).write_bytes(b"\x7fELF")


@needs_compiler
def test_a_wheel_has_what_this_machine_compiles(project: Path) -> None:
    tag, objects = wheel_of(project)
    assert len(objects) == 1
    assert tag == f"py3-none-linux_{os.uname().machine}"
    built = next((project / ROOM / "built").iterdir())
    assert {built.name} == objects
    loaded = ctypes.PyDLL(str(built))
    loaded.memdash_sampler_header.restype = ctypes.c_void_p
    assert ctypes.string_at(loaded.memdash_sampler_header(), 8) == b"memdashS"
    assert loaded.memdash_sampler_stop() == -1, "nothing is to happen before it is initialised"


@pytest.mark.parametrize("setting", [("MEMDASH_NO_NATIVE", "1"), ("CC", "/nonexistent/cc"), ("CC", "false")])
def test_without_a_compiler_the_wheel_is_pure(
    project: Path, setting: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(*setting)
    assert wheel_of(project) == ("py3-none-any", set())
    said = "".join(capfd.readouterr())
    assert ("without its heap sampler" in said) == (setting[0] == "CC"), "who asks for it needs no warning"


def test_a_wheel_with_all_objects_installs_everywhere(project: Path) -> None:
    put_objects(project)
    tag, objects = wheel_of(project)
    assert objects == ALL
    assert {"manylinux2014_x86_64", "manylinux2014_aarch64", "musllinux_1_1_x86_64", "musllinux_1_1_aarch64"} < set(
        tag.removeprefix("py3-none-").split(".")
    )


def test_objects_of_an_older_source_stay_out(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "false")
    put_objects(project)
    for name in ALL:
        os.utime(project / ROOM / "built" / name, (1, 1))
    assert wheel_of(project) == ("py3-none-any", set())


def test_a_compiler_for_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho riscv64-linux-gnu\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    with pytest.raises(Uncompiled, match=r"x86_64 and aarch64, and .* compiles for riscv64-linux-gnu"):
        build(STRICT)


def test_the_command_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--none"]) == 2
    assert "--all" in capsys.readouterr().err


@pytest.mark.matrix
@needs_compiler
def test_pip_installs_it_with_the_object(project: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(tmp_path / "there"), str(project)], check=True)
    assert len(list((tmp_path / "there" / ROOM / "built").iterdir())) == 1


@pytest.mark.matrix
def test_zig_builds_all_without_a_warning() -> None:
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("no zig: pip install ziglang")
    assert main(["--all"]) == 0
    for name in ALL:
        content = (BUILT / name).read_bytes()
        needed = {tuple(map(int, found.split(b"."))) for found in re.findall(rb"GLIBC_([\d.]+)\0", content)}
        assert all(version <= (2, 17) for version in needed)
        assert bool(needed) == ("glibc" in name)
