"""``memdash profile``: the profile of a process as a file that ``go tool pprof`` opens."""

from __future__ import annotations

import sys

import click

from memdash.analysis.deeds import deed_words
from memdash.commands.acting import act_on
from memdash.commands.options import Verb, settings
from memdash.commands.output import STDOUT, check_output, writing
from memdash.commands.target import Choice, target_options
from memdash.errors import UsageError
from memdash.model.action import Action
from memdash.plain import plain

__all__ = ["command"]


@click.command(cls=Verb, short_help="Save the profile of a process for pprof.")
@target_options
@settings("output", "force", "gc", "yes")
def command(choice: Choice, output: str, force: bool, gc: bool, yes: bool) -> int:
    """Write what holds the memory of a process as a profile.proto file, which go tool pprof opens too.

    It holds the allocation sites, or the live objects by type where there are none.
    """
    from memdash.pprof.encode import encode
    from memdash.session.profiles import take_profile

    if output == STDOUT and sys.stdout.isatty():
        raise UsageError("a profile is not for a terminal", "name a file with -o heap.pb.gz")
    check_output(output, force)
    target = choice.target()
    if gc:
        deed = act_on(target, Action.FORCE_GC, agreed=yes)
        if deed is None:
            return 1
        click.echo(f"memdash: {plain(deed_words(deed))}", err=True)
    taken = take_profile(target)
    for note in taken.notes:
        click.echo(f"memdash: {plain(note)}", err=True)
    with writing(output, force) as out:
        out.write(encode(taken.document))
    return 0
