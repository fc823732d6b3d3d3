"""``memdash top``: what holds most, by function."""

from __future__ import annotations

from typing import Any

import click

from memdash.commands.options import Verb
from memdash.commands.viewing import Viewing, show, tell_unmatched, viewing_options
from memdash.pprof.garbage import without_collections

__all__ = ["command", "show_top"]


@click.command(cls=Verb, short_help="What holds most, of a profile or a process.")
@viewing_options
def command(argument: str, viewing: Viewing, **printing: Any) -> None:
    """Print what each function holds itself (flat) and with all that it calls (cum), as go tool pprof -top does."""
    show_top(argument, viewing, **printing)


@without_collections()
def show_top(argument: str, viewing: Viewing, **printing: Any) -> None:
    """Print the top of a profile."""
    from memdash.pprof.text import Writer
    from memdash.pprof.top import top
    from memdash.pprof.values import top_values
    from memdash.pprof.view import View

    options = viewing.options()
    view = View(viewing.source(argument).document, options)
    tell_unmatched(view)
    report = top(view)
    show(Writer(view).top(report), lambda: top_values(view, report), **printing)
