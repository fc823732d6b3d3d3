"""``memdash [PID]``: the dashboard on a process that runs already."""

from __future__ import annotations

import click

from memdash.commands.options import Verb, settings, typed
from memdash.commands.screen import Screen, screen_options
from memdash.commands.target import Choice, process_options
from memdash.errors import UsageError
from memdash.probes.registry import sampling_with
from memdash.signals import signals_raised

__all__ = ["command"]


@click.command(cls=Verb, short_help="Watch a process: the same as without a verb.")
@process_options
@screen_options
@settings("trace")
@click.option("--once", is_flag=True, help="Print one screenful as text, and be done.")
@click.option("--inline", is_flag=True, help="Keep a few lines up to date instead of a whole screen; they stay.")
def command(choice: Choice, screen: Screen, trace: int | None, once: bool, inline: bool) -> int:
    """Watch the memory of one process live. Without PID, --name or --wait-for it lets you pick one."""
    if trace is not None and typed("trace"):  # in the environment or the file it is for commands that are started
        raise UsageError(
            "--trace is for a program that memdash starts: tracing is never switched on in one that runs",
            "memdash --trace -- COMMAND; a program may also start tracemalloc itself, and its sites are shown then",
        )
    if once and inline:
        raise UsageError("--once and --inline exclude each other", "leave one of them away")
    screen.check_values()
    sampling = screen.sampled.of_running(agent=screen.agent)
    if once:
        return screen.show_once(choice.target(), choice.entries)
    if inline:
        return screen.show_in_lines(choice.target, choice.entries)
    if choice.wait_for is None and choice.made:
        choice.target()  # a wrong pid or name is the more telling mistake than a missing terminal
    screen.check_terminal()
    with signals_raised():
        target = choice.target() if choice.made else screen.pick()
        if target is not None:
            screen.watch(target, sampling_with(choice.entries, sampling))
    return 0
