"""``memdash tree``: functions between those that call them and those they call."""

from __future__ import annotations

from typing import Any

import click

from memdash.commands.options import Verb
from memdash.commands.viewing import Viewing, show, tell_unmatched, viewing_options
from memdash.pprof.garbage import without_collections

__all__ = ["command"]


@click.command(cls=Verb, short_help="Functions with their callers and callees.")
@viewing_options
@without_collections()
def command(argument: str, viewing: Viewing, **printing: Any) -> None:
    """Print the functions that hold most between their callers and callees, as go tool pprof -tree does."""
    from memdash.pprof.text import Writer
    from memdash.pprof.tree import tree
    from memdash.pprof.values import tree_values
    from memdash.pprof.view import View

    options = viewing.options()
    view = View(viewing.source(argument).document, options)
    tell_unmatched(view)
    report = tree(view)
    show(Writer(view).tree(report, report), lambda: tree_values(view, report, report, "tree"), **printing)
