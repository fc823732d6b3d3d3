"""``memdash diff``: what has changed between two profiles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from memdash.commands.options import Verb
from memdash.commands.source import SOURCE, complete_source
from memdash.commands.top import show_top
from memdash.commands.viewing import Viewing, viewing_options
from memdash.errors import UsageError

__all__ = ["command"]


@click.command(cls=Verb, short_help="What has changed between two profiles.")
@click.argument("older", metavar=SOURCE, shell_complete=complete_source)
@viewing_options
@click.option("--subtract", is_flag=True, help="Shares are of the difference, as with pprof's -base.")
def command(older: str, argument: str, viewing: Viewing, subtract: bool, **printing: Any) -> None:
    """Print what has changed from the first profile to the second; what shrank is negative.

    Shares are of the first one, as with go tool pprof -diff_base. The other verbs take --diff-base and --base.
    """
    if viewing.base or viewing.diff_base:
        raise UsageError("diff takes both profiles as arguments", "memdash diff OLDER NEWER")
    named = replace(viewing, base=older) if subtract else replace(viewing, diff_base=older)
    show_top(argument, named, **printing)
