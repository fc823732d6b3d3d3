"""``memdash replay``: the dashboard over a recording."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import click

from memdash.commands.look import Look
from memdash.commands.options import Verb, gathered, settings
from memdash.commands.replayed import RECORDING, recorded
from memdash.commands.screen import check_terminal, report_of
from memdash.config import SourcePath
from memdash.errors import UsageError
from memdash.signals import signals_raised

__all__ = ["command"]


@click.command(cls=Verb, short_help="Look at a recording, at any of its moments.")
@click.argument("argument", metavar=RECORDING, type=click.Path())
@settings("run")
@gathered(Look, "look")
@settings("source-path", "trim-path")
def command(argument: str, run: int | None, look: Look, source_path: str | None, trim_path: str | None) -> None:
    """Show the dashboard as it was while a recording was made.

    It opens at the newest moment, which it follows while somebody records, or at TIME: 12:04, 12:04:41,
    2026-01-31T12:04, -5m before the end. The arrows go through time, comma and full stop from alert to alert. report,
    top, diff and the other verbs take FILE.mdr[@TIME] where they take a PID.
    """
    file = recorded(argument)
    if file is None:
        raise UsageError(f"{argument} is no recording of memdash", "memdash record PID -o FILE.mdr makes one")
    look.check()
    check_terminal("memdash report FILE.mdr writes a report of it")
    with closing(file.open(run)) as past:
        at_s = file.instant_s(past) if file.time else None
        from memdash.session.replay import replays
        from memdash.ui.app import run as show

        options = replace(look.options(), sources=SourcePath.of(source_path, trim_path), at_s=at_s)
        with signals_raised():
            watches = replays(past)
            session = watches.open(past.run.target)
            session.start()
            show(session, watches, report_of, options)
