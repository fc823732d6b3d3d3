"""``memdash flame``: stacks as a tree, from the outermost frame inwards."""

from __future__ import annotations

from typing import Any

import click

from memdash.commands.browsing import Browsing, browse, browsing_options
from memdash.commands.options import Verb
from memdash.commands.output import STDOUT
from memdash.commands.viewing import Viewing, show, tell_unmatched, viewing_options
from memdash.pprof.garbage import without_collections

__all__ = ["command"]


@click.command(cls=Verb, short_help="Stacks as a tree, from main inwards.")
@viewing_options
@browsing_options
def command(argument: str, viewing: Viewing, browsing: Browsing, **printing: Any) -> None:
    """Show what is held through each call, callers above what they call.

    On a terminal this is a flame graph to go through with keys and mouse; with --text, or where it is not read by a
    person, an indented list. With --diff-base each call also shows how it has changed; with --base only the difference
    is drawn.
    """
    if browsing.is_possible and not printing["json"] and printing["output"] == STDOUT:
        browse("flame", argument, viewing, browsing)
    else:
        _show(argument, viewing, **printing)


@without_collections()
def _show(argument: str, viewing: Viewing, **printing: Any) -> None:
    from memdash.pprof.flame import flame
    from memdash.pprof.text import Writer
    from memdash.pprof.values import flame_values
    from memdash.pprof.view import View

    options = viewing.options()
    earlier = viewing.earlier()
    before = None if earlier is None else View(earlier.document, options)
    view = View(viewing.alone(argument).document, options)
    tell_unmatched(view)
    report = flame(view, before)
    show(Writer(view).flame(report), lambda: flame_values(view, report), **printing)
