"""``memdash demo``: a small server of ours that leaks, and the dashboard on it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from memdash.commands.options import Verb
from memdash.commands.output import update
from memdash.commands.prepared import prepared
from memdash.commands.program import Program, log_file, tell_output
from memdash.commands.run import watch_program
from memdash.commands.screen import Screen, screen_options
from memdash.commands.toolchain import build, find_toolchain
from memdash.errors import MemdashError
from memdash.probes.cpython.sampler.fitting import built as built_samplers
from memdash.probes.registry import sampling_with
from memdash.signals import signals_raised

__all__ = ["GO_SOURCE", "PYTHON_MODULE", "command"]

GO_SOURCE = Path(__file__).parent / "shop"
PYTHON_MODULE = "memdash.commands.pyshop"
_FRAMES_TRACED = 8
"""So that a site has a stack, where its allocations cannot be sampled. That this slows it does not show much."""


@click.command(cls=Verb, short_help="Start a small leaking server, and watch it.")
@click.option("--go", "runtime", flag_value="go", help="The Go server; needs a Go toolchain to build it.")
@click.option("--python", "runtime", flag_value="python", help="The Python server.")
@screen_options
def command(screen: Screen, runtime: str | None) -> None:
    """Watch a small server that leaks memory, goroutines or tasks, and gives itself something to do.

    It is written in Go where a Go toolchain is at hand, else in Python. It listens on loopback only, and ends with the
    dashboard.
    """
    screen.check()
    server, sources = _server(runtime)
    screen = replace(screen, source_path=screen.source_path or sources)
    sampling = screen.sampled.of_command(None, read_only=screen.read_only) if built_samplers() else None
    trace = _FRAMES_TRACED if sampling is None else None
    with (
        signals_raised(),
        log_file(None, force=False) as log,
        prepared(agent=not screen.read_only, trace=trace) as given,
    ):
        with Program(server, log, environment=given.environment) as program:
            watched = watch_program(program, screen, sampling_with(given.entries, sampling))
        if not watched:
            tell_output(log, last_lines=True)
            raise MemdashError("the demo server ended at once", "what it printed stands above")
        log.write_bytes(b"")  # of no interest: an empty log goes away


def _server(runtime: str | None) -> tuple[Sequence[str], str | None]:
    """The command that starts it, and where its source is when it does not know; that in Go is built at first."""
    try:
        toolchain = None if runtime == "python" else find_toolchain()
    except MemdashError:
        if runtime == "go":
            raise
        toolchain = None
    if toolchain is None:
        return [sys.executable, "-m", PYTHON_MODULE], None
    built = build(toolchain, GO_SOURCE, "shop-server", lambda words: update(f"memdash: {words}"))
    update()
    return [str(built)], f"{GO_SOURCE.parent}:{toolchain.root / 'src'}"
