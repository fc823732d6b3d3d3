"""The Go programs that the benchmarks look at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from memdash.probes.go.layouts.toolchains import obtain
from tests.live.builds import MODES, build
from tests.live.target import GoTarget

__all__ = ["allocating", "huge_program", "idle", "parked", "stacks"]

_MINOR = 27
_PACKAGES, _FUNCTIONS_EACH = 250, 2000


def _program() -> Path:
    return build(obtain(_MINOR), MODES["stripped"], "pprof")


@contextmanager
def idle() -> Iterator[GoTarget]:
    """A stripped program of about 10 MB with a little heap."""
    with GoTarget(_program()) as target:
        target.command("alloc", 200)
        yield target


@contextmanager
def allocating() -> Iterator[GoTarget]:
    """The same, allocating at full speed in one goroutine."""
    with GoTarget(_program()) as target:
        target.command("churn", 1)
        yield target


@contextmanager
def stacks(number: int) -> Iterator[GoTarget]:
    """The same, with ``number`` distinct allocation stacks in its profile."""
    with GoTarget(_program()) as target:
        target.command("rate", 1)
        target.command("buckets", number)
        target.command("gc")
        target.command("gc")
        yield target


@contextmanager
def parked(number: int) -> Iterator[GoTarget]:
    """The same, with so many goroutines that wait, in three ways."""
    with GoTarget(_program()) as target:
        for command in ("chan", "sleep", "select"):
            target.command(command, number // 3)
        yield target


def huge_program() -> Path:
    """A program of half a million functions, built once (a few minutes) and kept in the cache."""
    body = "\n".join(
        f"//go:noinline\nfunc F{n}(x int) int {{ return x*{n + 3} + {n} }}" for n in range(_FUNCTIONS_EACH)
    )
    table = "var T = [...]func(int) int{" + ",".join(f"F{n}" for n in range(_FUNCTIONS_EACH)) + "}"
    imports = "\n".join(f'\tp{n} "huge/p{n}"' for n in range(_PACKAGES))
    calls = "\n".join(f"\tx += p{n}.T[x&1023](x)" for n in range(_PACKAGES))
    main = f'package main\n\nimport (\n\t"fmt"\n\t"os"\n\t"time"\n{imports}\n)\n\n'
    main += f"func main() {{\n\tx := os.Getpid()\n{calls}\n"
    main += '\tfmt.Println("ready", x)\n\ttime.Sleep(time.Hour)\n}\n'
    name = hashlib.sha256((main + body + table).encode()).hexdigest()[:16]
    output = user_cache_path("memdash") / "test-programs" / f"huge-{name}"
    if not output.exists():
        source = output.with_suffix(".src")
        source.mkdir(parents=True, exist_ok=True)
        (source / "go.mod").write_text("module huge\n\ngo 1.21\n")
        (source / "main.go").write_text(main)
        for n in range(_PACKAGES):
            (source / f"p{n}").mkdir(exist_ok=True)
            (source / f"p{n}" / "p.go").write_text(f"package p{n}\n\n{body}\n\n{table}\n")
        obtain(_MINOR).build(source, output, "-ldflags=-s -w", environment={"CGO_ENABLED": "0"})
    return output
