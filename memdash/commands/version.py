"""``memdash version``."""

from __future__ import annotations

import click

from memdash import __version__
from memdash.commands.options import Verb

__all__ = ["command"]


@click.command(cls=Verb, short_help="The version of memdash.")
def command() -> None:
    """Print the version of memdash."""
    click.echo(f"memdash {__version__}")
