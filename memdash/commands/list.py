"""``memdash list``: source lines with what they hold."""

from __future__ import annotations

from typing import Any

import click

from memdash.commands.options import Verb, settings
from memdash.commands.output import tell
from memdash.commands.viewing import Viewing, pattern, show, tell_unmatched, viewing_options
from memdash.config import SourcePath
from memdash.pprof.garbage import without_collections

__all__ = ["command"]


@click.command(cls=Verb, short_help="Source lines of the functions that match, with what they hold.")
@click.argument("regex", metavar="REGEX")
@viewing_options
@settings("source-path", "trim-path")
@without_collections()
def command(
    regex: str, argument: str, viewing: Viewing, source_path: str | None, trim_path: str | None, **printing: Any
) -> None:
    """Print the source of the functions whose name matches, each line with what it holds, as go tool pprof -list does.

    Source files are looked for where the profile says, in the file system of the process when it is a live one.
    """
    from memdash.pprof.listing import listing, listing_view
    from memdash.pprof.source import SourceFinder
    from memdash.pprof.text import Writer
    from memdash.pprof.values import listing_values

    wanted = pattern(regex, "REGEX")
    options = viewing.options()
    source = viewing.source(argument)
    view = listing_view(source.document, options)
    tell_unmatched(view)
    finder = SourceFinder.of(SourcePath.of(source_path, trim_path), source.files)
    files = listing(view, wanted, finder.lines)
    lost = {listed.file: listed.missing for listed in files if listed.file and listed.missing is not None}
    if lost:
        hint = next(iter(lost.values())).hint
        tell(f"{len(lost)} source file{'s' * (len(lost) > 1)} could not be read; {hint}")
    show(Writer(view).listing(files), lambda: listing_values(view, files), **printing)
