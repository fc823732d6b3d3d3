"""``go tool pprof``, as the truth about what a profile says."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

from tests.live.conftest import NEWEST, toolchain_for

__all__ = ["WORK", "go_pprof", "rows"]

WORK = ("rate 1", "alloc 200", "buckets 300", "churn 1", "stop", "gc", "gc")
"""What a Go target is told so that it has something to show, and is at rest."""


@functools.cache
def _program() -> Path:
    """The tool itself: ``go tool`` builds it the first time, and would look for changes each time."""
    toolchain = toolchain_for(NEWEST)
    done = subprocess.run(
        [toolchain.root / "bin/go", "tool", "-n", "pprof"],
        env=toolchain.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


def go_pprof(*arguments: str | Path, folder: Path | None = None) -> str:
    """What it prints; a word on standard error, such as a warning, fails the test."""
    done = subprocess.run(
        [_program(), *arguments],
        cwd=folder,
        env={**os.environ, "PPROF_TMPDIR": "/nonexistent", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def rows(text: str) -> list[str]:
    """Without the time, and without the marks of inlined calls: a stack read from memory does not hold them."""
    lines = [line for line in text.splitlines() if not line.startswith("Time: ")]
    return [line.removesuffix(" (inline)").removesuffix(" (partial-inline)") for line in lines]
