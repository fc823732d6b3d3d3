"""``memdash -- COMMAND``: start a command and watch it, or the program that it is a wrapper of."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import click

from memdash.commands.options import Verb, settings
from memdash.commands.prepared import prepared, tell_tracing
from memdash.commands.program import Program, log_file, tell_output
from memdash.commands.screen import Screen, screen_options
from memdash.errors import TargetError
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import sampling_with
from memdash.signals import Signalled, signals_raised

__all__ = ["command", "watch_program"]


@click.command(
    cls=Verb,
    short_help="Start a command and watch it; memdash -- COMMAND for short.",
    context_settings={"allow_interspersed_args": False},
)
@settings("output-to", "force", "trace")
@screen_options
@click.argument("argv", metavar="[--] COMMAND ...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(argv: tuple[str, ...], screen: Screen, output_to: str | None, force: bool, trace: int | None) -> int:
    """Start COMMAND and watch it.

    When COMMAND is only a wrapper (go run, uv run, a shell, make) the program that it starts is watched; of a master
    with workers (gunicorn, celery, a reloader) the master, from which < and > lead to the workers. What it prints goes
    to a file, named when memdash ends. Leaving the dashboard ends COMMAND; its exit code becomes that of memdash.
    Python programs load memdash's agent as they start, unless --read-only is given; their allocations are sampled
    while they are watched, unless --sample off or --trace is.
    """
    sampling = screen.sampled.of_command(trace, read_only=screen.read_only)
    screen.check()
    watched = True
    tell_tracing(trace)
    with log_file(output_to, force) as log, prepared(agent=not screen.read_only, trace=trace) as given:
        program = Program(argv, log, environment=given.environment)
        with contextlib.suppress(Signalled), signals_raised(), program:
            watched = watch_program(program, screen, sampling_with(given.entries, sampling))
        tell_output(log, last_lines=not watched)
    return program.exit_code


def watch_program(program: Program, screen: Screen, entries: Sequence[ProbeEntry]) -> bool:
    """Show the dashboard on what ``program`` turns out to be; False when it ended before there was anything to see."""
    try:
        target = program.settled()
    except TargetError:
        return False
    screen.watch(target, entries)
    return True
