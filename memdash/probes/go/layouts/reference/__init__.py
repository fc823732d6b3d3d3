"""The reference program (``main.go``) and the ways it is built.

Where code refers to a global depends on how it was compiled: instructions differ in a PIE, with the race detector,
without optimisation and for newer processors. What was found in all of them finds the globals in nearly every program.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from memdash.errors import UsageError
from memdash.probes.go.layouts.toolchains import Toolchain

__all__ = ["build"]

_BUILDS: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "exe": ((), {}),
    "pie": (("-buildmode=pie",), {}),
    "race": (("-race",), {"CGO_ENABLED": "1"}),
    "unoptimised": (("-gcflags=all=-N -l",), {}),
    "v3": ((), {"GOAMD64": "v3"}),
}


def build(toolchain: Toolchain, folder: Path) -> Iterator[Path]:
    """Build the program each way into ``folder``: the plain one first. Raises MemdashError."""
    if not shutil.which(os.environ.get("CC", "gcc")):
        raise UsageError("building with -race needs a C compiler, and there is none", "apt install gcc libc6-dev")
    for name, (flags, environment) in _BUILDS.items():
        output = folder / f"{toolchain.version}-{name}"
        toolchain.build(Path(__file__).parent, output, *flags, environment=environment)
        yield output
