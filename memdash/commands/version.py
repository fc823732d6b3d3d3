"""``memdash version``."""

from __future__ import annotations

import click

from memdash import __version__
from memdash.commands.options import Verb
from memdash.commands.output import write_lines

__all__ = ["command"]


@click.command(cls=Verb, short_help="The version of memdash.")
def command() -> None:
    """Print the version of memdash."""
    write_lines([f"memdash {__version__}"])
