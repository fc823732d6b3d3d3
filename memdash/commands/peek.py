"""``memdash peek``: callers and callees of the functions that match."""

from __future__ import annotations

from typing import Any

import click

from memdash.commands.options import Verb
from memdash.commands.viewing import Viewing, pattern, show, tell_unmatched, viewing_options
from memdash.pprof.garbage import without_collections

__all__ = ["command"]


@click.command(cls=Verb, short_help="Callers and callees of the functions that match.")
@click.argument("regex", metavar="REGEX")
@viewing_options
@without_collections()
def command(regex: str, argument: str, viewing: Viewing, **printing: Any) -> None:
    """Print the functions whose name matches between their callers and callees, as go tool pprof -peek does."""
    from memdash.pprof.text import Writer
    from memdash.pprof.tree import peek
    from memdash.pprof.values import tree_values
    from memdash.pprof.view import View

    wanted = pattern(regex, "REGEX")
    options = viewing.options()
    view = View(viewing.source(argument).document, options)
    tell_unmatched(view)
    whole, shown = peek(view, wanted)
    show(Writer(view).tree(whole, shown), lambda: tree_values(view, whole, shown, "peek"), **printing)
