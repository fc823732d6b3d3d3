"""``memdash demo``: a small server of ours that leaks, and the dashboard on it."""

from __future__ import annotations

from pathlib import Path

import click

from memdash.commands.options import Verb
from memdash.commands.program import Program, log_file, tell_output
from memdash.commands.run import watch_program
from memdash.commands.screen import Screen, screen_options
from memdash.commands.toolchain import build, find_toolchain
from memdash.errors import MemdashError
from memdash.signals import signals_raised

__all__ = ["command"]

_SOURCE = Path(__file__).parent / "shop"


@click.command(cls=Verb, short_help="Build and start a small leaking server, and watch it.")
@screen_options
def command(screen: Screen) -> None:
    """Watch a small Go server that leaks memory and goroutines, and gives itself something to do.

    It is built when first needed, listens on loopback only, and ends with the dashboard.
    """
    screen.check()
    server = build(find_toolchain(), _SOURCE, "shop-server", _progress)
    click.echo("\r\x1b[K", err=True, nl=False)
    with signals_raised(), log_file(None, force=False) as log:
        with Program([str(server)], log) as program:
            watched = watch_program(program, screen)
        if not watched:
            tell_output(log, last_lines=True)
            raise MemdashError("the demo server ended at once", "what it printed stands above")
        log.write_bytes(b"")  # of no interest: an empty log goes away


def _progress(words: str) -> None:
    """Keep one line of the terminal up to date."""
    click.echo(f"\r\x1b[Kmemdash: {words}", err=True, nl=False)
