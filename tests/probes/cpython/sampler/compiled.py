"""The harness: a C program that has the sampler inside, with an interpreter and allocators that are made up."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from memdash.probes.cpython.sampler.build import SOURCE, STRICT

__all__ = ["ADDRESSES", "PLAIN", "THREADS", "UNDEFINED", "Harness", "compiled"]

_FOLDER = Path(__file__).parent / "harness"

ADDRESSES = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
UNDEFINED = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
THREADS = ("-fsanitize=thread", "-Wno-tsan")  # it knows no fences: the fakes order what these do
PLAIN: tuple[str, ...] = ()

_PATIENCE_S = 120.0


class Harness:
    """A built one. ``before`` is what to run it under."""

    def __init__(self, program: Path, before: Sequence[str] = ()) -> None:
        self._command = [*before, str(program)]

    def run(self, name: str, size: int = 1) -> None:
        """Run the tests of that name; fails with all that the program says."""
        done = subprocess.run(
            [*self._command, name, str(size)],
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
            env={"ASAN_OPTIONS": "detect_leaks=0", "TSAN_OPTIONS": "halt_on_error=1"},
        )
        assert done.returncode == 0, done.stderr[-4000:]
        assert done.stdout == f"{name}: all is well\n"


def compiled(folder: Path, flags: Sequence[str], before: Sequence[str] = ()) -> Harness:
    """Compile it; skips the test where the compiler has no such sanitizer."""
    program = folder / "harness"
    macro = f'-DSAMPLER="{SOURCE}"'
    common = ["-std=gnu11", "-g", "-O1", *STRICT, *flags, macro, str(_FOLDER / "harness.c")]
    command = ["cc", *common, "-o", str(program), "-lm", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "cannot find" in done.stderr:
        pytest.skip(f"the compiler lacks what {' '.join(flags)} needs: {done.stderr.splitlines()[-2]}")
    assert done.returncode == 0, done.stderr[-4000:]
    return Harness(program, before)
