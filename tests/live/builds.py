"""Go programs to look at, built once and kept outside the repository.

A program is kept under the hash of its source and of how it was built, so that nothing is ever stale.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from memdash.errors import UsageError
from memdash.probes.go.layouts.toolchains import Toolchain

__all__ = ["EXPERIMENTS", "MODES", "Mode", "build"]

_SOURCE = Path(__file__).parent / "programs" / "target"
_KEPT = user_cache_path("memdash") / "test-programs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """A way to build. ``experiment`` is a GOEXPERIMENT."""

    flags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cgo: bool = False
    external_link: bool = False
    stripped: bool = False
    experiment: str = ""

    def all_flags(self, flavour: str) -> tuple[str, ...]:
        """What go build is told, for a flavour of the program."""
        link = ["-s -w"] * self.stripped + ["-linkmode=external"] * self.external_link
        return (*self.flags, f"-ldflags={' '.join(link)}", f"-tags={','.join((flavour, *self.tags))}")


_PIE = ("-buildmode=pie",)

MODES: Mapping[str, Mode] = {
    "plain": Mode(),
    "stripped": Mode(stripped=True),
    "pie": Mode(flags=_PIE),
    "pie-stripped": Mode(flags=_PIE, stripped=True),
    "pie-external": Mode(flags=_PIE, cgo=True, external_link=True),
    "pie-external-stripped": Mode(flags=_PIE, cgo=True, external_link=True, stripped=True),
    "cgo": Mode(tags=("withcgo",), cgo=True),
    "cgo-stripped": Mode(tags=("withcgo",), cgo=True, stripped=True),
    "race": Mode(flags=("-race",), cgo=True),
    "unoptimised": Mode(flags=("-gcflags=all=-N -l",)),
}

EXPERIMENTS: Mapping[int, tuple[str, ...]] = {25: ("greenteagc",), 26: ("nogreenteagc",), 27: ("nogreenteagc",)}
"""By minor: the experiments that move what we read. The green tea collector is the default from 1.26 on."""


def _paths_within(flags: tuple[str, ...]) -> tuple[str, ...]:
    """Where the source is, if the program will know it: that of another checkout knows another place."""
    return (str(_SOURCE),) if "-trimpath=false" in flags else ()


def build(toolchain: Toolchain, mode: Mode, flavour: str = "plain") -> Path:
    """The program, from the cache or freshly built. ``flavour`` pprof serves /debug/pprof. Raises MemdashError."""
    if mode.cgo and not shutil.which(os.environ.get("CC", "gcc")):
        raise UsageError("there is no C compiler", "apt install gcc libc6-dev")
    flags = mode.all_flags(flavour)
    recipe = repr((toolchain.version, flags, mode.cgo, mode.experiment, *_paths_within(flags))).encode()
    sources = b"".join(path.read_bytes() for path in sorted(_SOURCE.iterdir()))
    output = _KEPT / f"{toolchain.version}-{flavour}-{hashlib.sha256(recipe + sources).hexdigest()[:16]}"
    if not output.exists():
        output.parent.mkdir(parents=True, exist_ok=True)
        environment = {"CGO_ENABLED": str(int(mode.cgo)), "GOEXPERIMENT": mode.experiment}
        with tempfile.TemporaryDirectory(dir=_KEPT) as unfinished:
            built = Path(unfinished) / output.name
            toolchain.build(_SOURCE, built, *flags, environment=environment)
            with suppress(
                FileExistsError
            ):  # another test has built it meanwhile and may run it already: that one stays
                output.hardlink_to(built)
    return output
