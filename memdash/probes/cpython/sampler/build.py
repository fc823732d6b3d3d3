"""Compile ``sampler.c``: for this machine with its C compiler, or for all that memdash samples on with zig's.

    python -m memdash.probes.cpython.sampler.build          # what an installation does by itself
    python -m memdash.probes.cpython.sampler.build --all    # before a release: pip install ziglang

The objects lie in ``built/`` and know no Python, so one of them serves every version; a wheel carries those that are
there. The build hook runs this where memdash is not yet installed: so nothing but the standard library is imported.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

__all__ = ["BUILT", "FLAGS", "SOURCE", "STRICT", "Uncompiled", "build", "build_all", "current", "file_name", "main"]

_HERE = Path(__file__).parent
SOURCE = _HERE / "sampler.c"
BUILT = _HERE / "built"

FLAGS = ("-std=gnu11", "-O2", "-fPIC", "-fvisibility=hidden")
STRICT = ("-Wall", "-Wextra", "-Werror")
"""For our own builds. A user's compiler may know warnings that ours does not, which are no reason to do without."""

_MACHINES = ("x86_64", "aarch64")
_ZIG_TARGETS = {"glibc": "linux-gnu.2.17", "musl": "linux-musl"}
"""By libc. The glibc of 2013 is the oldest that wheels are made for (manylinux2014)."""

_PATIENCE_S = 300.0
"""zig compiles the C library that it links against when it is first used."""


class Uncompiled(Exception):
    """There is no object, and this is why, in one line."""


def file_name(machine: str, libc: str) -> str:
    """What the object for a machine (as ``uname -m`` calls it) and a C library (``glibc`` or ``musl``) is called."""
    return f"sampler-{machine}-{libc}.so"


def current() -> list[Path]:
    """The objects in ``built/`` that are of the source as it is, sorted by name; each could go into a wheel."""
    since_ns = SOURCE.stat().st_mtime_ns
    return sorted(path for path in BUILT.glob("sampler-*.so") if path.stat().st_mtime_ns >= since_ns)


def build(flags: Sequence[str] = ()) -> Path:
    """Compile for this machine with ``$CC``, by default cc, unless the object is current. Raises Uncompiled."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    machine, libc = _target_of(compiler)
    path = BUILT / file_name(machine, libc)
    if path not in current():
        _compile([*compiler, *flags], path)
    return path


def build_all() -> list[Path]:
    """Compile for every machine and C library with the wheel ziglang of this environment. Raises Uncompiled."""
    made = []
    for machine in _MACHINES:
        for libc, target in _ZIG_TARGETS.items():
            path = BUILT / file_name(machine, libc)
            _compile([sys.executable, "-m", "ziglang", "cc", "-target", f"{machine}-{target}", *STRICT], path)
            made.append(path)
    return made


def _target_of(compiler: Sequence[str]) -> tuple[str, str]:
    """For which machine and C library it compiles: from a triple such as aarch64-alpine-linux-musl."""
    triple = _output_of([*compiler, "-dumpmachine"]).strip()
    machine, _, rest = triple.partition("-")
    if machine not in _MACHINES or "linux" not in rest or not rest.endswith(("gnu", "musl")):
        raise Uncompiled(f"it samples on Linux on {' and '.join(_MACHINES)}, and {compiler[0]} compiles for {triple}")
    return machine, "musl" if rest.endswith("musl") else "glibc"


def _compile(compiler: Sequence[str], path: Path) -> None:
    """Whole as soon as it is there: another process may look at the same time."""
    BUILT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILT) as scratch:
        made = Path(scratch) / path.name
        _output_of([*compiler, *FLAGS, "-shared", "-s", str(SOURCE), "-o", str(made), "-lpthread"])
        made.chmod(0o644)
        made.replace(path)


def _output_of(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)  # noqa: S603 - the machine's own compiler
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Uncompiled(f"{command[0]} cannot be run: {error}") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        first = next((line for line in said if "error" in line), said[0] if said else "it said nothing")
        raise Uncompiled(f"{command[0]} fails: {first}")
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    """Build what is asked for and print the paths of the objects."""
    if arguments not in ([], ["--all"]):
        print(__doc__, file=sys.stderr)  # noqa: T201 - a command of its own
        return 2
    try:
        made = build_all() if arguments else [build(STRICT)]
    except Uncompiled as error:
        print(f"the sampler has not been built: {error}", file=sys.stderr)  # noqa: T201
        return 1
    for path in made:
        print(path)  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
