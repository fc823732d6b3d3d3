"""What is refused, and how: small programs that pretend to be other Pythons."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from memdash.errors import AccessDenied, LayoutRefused
from memdash.model.target import Target
from memdash.probes.cpython import CPYTHON
from memdash.probes.probe import Refusal
from memdash.process.identity import identify
from tests.compilers import needs_compiler

Start = Callable[..., subprocess.Popen[bytes]]

SYSTEM_VIEW = "the system view still works"


def pretender(folder: Path, source: str, name: str = "program") -> Path:
    """A program that waits for its stdin to end."""
    code, program = folder / "program.c", folder / name
    code.write_text(f"#include <unistd.h>\n{source}\nint main(void) {{ char c; return (int)read(0, &c, 1); }}\n")
    subprocess.run(["cc", "-rdynamic", code, "-o", program], check=True)
    return program


def refusal(target: Target) -> Refusal:
    verdict = CPYTHON.fitness(target)
    assert isinstance(verdict, Refusal)
    return verdict


def with_cookie(version: int, free_threaded: int = 0, more: str = "") -> str:
    return (
        "struct { char cookie[8]; unsigned long version, free_threaded, rest[512]; } "
        f'_PyRuntime = {{"xdebugpy", {version:#x}, {free_threaded}, {{0}}}};\n{more}'
    )


@needs_compiler
@pytest.mark.parametrize(
    ("source", "why", "hint"),
    [
        (
            with_cookie(0x030D02F0, free_threaded=1),
            "it runs on a free-threaded build of CPython 3.13.2, which has another allocator and collector",
            f"run it with an ordinary build; {SYSTEM_VIEW}",
        ),
        (
            with_cookie(0x030D02F0, more="void _Py_NegativeRefcount(void) {}"),
            "it runs on a debug build of CPython 3.13.2, which keeps things elsewhere",
            f"run it with an ordinary build; {SYSTEM_VIEW}",
        ),
        (
            with_cookie(0x031001A2),
            "it runs on CPython 3.16.1a2, which is newer than the newest that memdash knows (3.15)",
            f"a newer memdash may read it; {SYSTEM_VIEW}",
        ),
        (
            "char _PyRuntime[4096]; unsigned long Py_Version = 0x030706f0;",
            "it runs on CPython 3.7.6; the oldest that memdash reads is 3.8",
            f"run it with a newer Python; {SYSTEM_VIEW}",
        ),
        (
            "char _PyRuntime[4096];",
            "it holds a Python that does not say which one it is",
            f"if the process has only just started, try again in a moment; {SYSTEM_VIEW}",
        ),
    ],
    ids=["free-threaded", "debug", "newer", "older", "not started"],
)
def test_builds_that_are_not_read(tmp_path: Path, start: Start, source: str, why: str, hint: str) -> None:
    child = start(pretender(tmp_path, source))
    assert refusal(identify(child.pid)) == Refusal(why, hint, recognised=True)


@needs_compiler
def test_a_known_version_whose_memory_is_something_else_is_refused(tmp_path: Path, start: Start) -> None:
    child = start(pretender(tmp_path, with_cookie(0x030D02F0)))
    target = identify(child.pid)
    assert not isinstance(CPYTHON.fitness(target), Refusal)
    with pytest.raises(LayoutRefused, match=r"its memory is not laid out as expected: address 0x.* is not mapped"):
        CPYTHON.attach(target)


def test_pypy_goes_by_its_name(tmp_path: Path, start: Start) -> None:
    program = tmp_path / "pypy3.9"
    shutil.copy(shutil.which("cat") or "", program)
    said = refusal(identify(start(program).pid))
    assert said == Refusal("it runs on PyPy, of which memdash reads nothing", SYSTEM_VIEW, recognised=True)


def test_what_is_no_python_is_not_recognised(start: Start) -> None:
    child = start("cat")
    assert refusal(identify(child.pid)) == Refusal("not a CPython program")


def test_who_is_gone_is_refused(start: Start) -> None:
    child = start("cat")
    target = identify(child.pid)
    child.kill()
    child.wait()
    assert "gone" in refusal(target).why or "ended" in refusal(target).why


def test_another_users_process_is_refused_with_a_way_out(start: Start, as_nobody: Callable[..., str]) -> None:
    target = identify(start("cat").pid)
    said = as_nobody(lambda: refusal(target).hint)
    assert said == AccessDenied.default_hint
