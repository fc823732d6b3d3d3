"""``memdash -- COMMAND``: start a command and watch it, or the program that it is a wrapper of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import click

from memdash.commands.options import Verb, settings
from memdash.commands.program import Program, log_file, tell_output
from memdash.commands.screen import Screen, screen_options
from memdash.errors import AgentUnreachable, TargetError
from memdash.model.target import Runtime, Target
from memdash.probes.probe import Fit, ProbeEntry, judged
from memdash.probes.registry import PROBES, probes_with
from memdash.process.family import settle
from memdash.signals import Signalled, signals_raised

__all__ = ["command", "watch_program", "with_agents"]


@click.command(
    cls=Verb,
    short_help="Start a command and watch it; memdash -- COMMAND for short.",
    context_settings={"allow_interspersed_args": False},
)
@settings("output-to", "force")
@screen_options
@click.argument("argv", metavar="[--] COMMAND ...", nargs=-1, required=True, type=click.UNPROCESSED)
def command(argv: tuple[str, ...], screen: Screen, output_to: str | None, force: bool) -> int:
    """Start COMMAND and watch it.

    When COMMAND is only a wrapper (go run, uv run, a shell, make) the program that it starts is watched; of a master
    with workers (gunicorn, celery, a reloader) the master, from which < and > lead to the workers. What it prints goes
    to a file, named when memdash ends. Leaving the dashboard ends COMMAND; its exit code becomes that of memdash.
    Python programs load memdash's agent as they start, unless --read-only is given.
    """
    screen.check()
    watched = True
    with log_file(output_to, force) as log, with_agents(screen) as (environment, entries):
        program = Program(argv, log, environment=environment)
        with contextlib.suppress(Signalled), signals_raised(), program:
            watched = watch_program(program, screen, entries)
        tell_output(log, last_lines=not watched)
    return program.exit_code


@contextlib.contextmanager
def with_agents(screen: Screen) -> Iterator[tuple[Mapping[str, str], Sequence[ProbeEntry]]]:
    """What to add to the environment of a command so that its Pythons bring memdash's agent, and who finds it there.

    Nothing is added under --read-only, nor where no place can be made for them to meet.
    """
    if screen.read_only:
        yield {}, PROBES
        return
    from memdash.probes.cpython.agent.launch import agents_of_ours, environment_for

    try:
        agents = agents_of_ours()
    except AgentUnreachable:
        yield {}, PROBES
        return
    with agents:
        yield environment_for(agents), probes_with(agents)


def watch_program(program: Program, screen: Screen, entries: Sequence[ProbeEntry]) -> bool:
    """Show the dashboard on what ``program`` turns out to be; False when it ended before there was anything to see."""
    try:
        target = settle(program.pid, _is_telling)
    except TargetError:
        return False
    screen.watch(target, entries)
    return True


def _is_telling(target: Target) -> bool:
    """Whether a probe reads more of it than the kernel tells of any process."""
    verdicts = (judged(entry, target) for entry in PROBES)
    return any(isinstance(verdict, Fit) and verdict.runtime is not Runtime.NATIVE for verdict in verdicts)
