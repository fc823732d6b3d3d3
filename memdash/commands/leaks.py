"""``memdash leaks``: the goroutines, threads or asyncio tasks of a process that should have ended and have not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from json import dumps

import click

from memdash.analysis.staying import Expected
from memdash.commands.acting import asked
from memdash.commands.leak_search import UNASKED, Agent, Searched, Watch, recorded_leaks, search
from memdash.commands.leak_words import document, lines
from memdash.commands.options import Verb, settings, typed
from memdash.commands.output import is_terminal, tell, write_lines
from memdash.commands.target import Choice, target_options
from memdash.errors import UsageError
from memdash.model.action import Action
from memdash.model.missing import Maybe, Missing
from memdash.model.tasks import TaskKind
from memdash.signals import signals_raised

__all__ = ["command"]

_WATCH_S = 5.15
"""How long all looks take together, unless --duration says otherwise."""

_NEW_ONES_S = 10.0
"""How long to watch for new ones when those there are do not count, unless --duration says otherwise."""


@click.command(cls=Verb, short_help="Goroutines, threads and asyncio tasks that should have ended and have not.")
@target_options
@settings("ignore-top-function", "ignore-created-by", "ignore-current", "older-than")
@settings("duration", "agent", "json", "yes", "run")
def command(
    choice: Choice,
    ignore_top_function: Sequence[str],
    ignore_created_by: Sequence[str],
    ignore_current: bool,
    older_than: float | None,
    duration: float | None,
    agent: bool,
    json: bool,
    yes: bool,
    run: int | None,
) -> int:
    """Print the goroutines or threads of a process that stay, with their stacks; exit with 1 when some have leaked.

    It looks several times, with growing pauses, over five seconds or --duration, and takes only those that are in the
    same place each time. What else stays is shown and not accused: the loops that every service runs wait for as long
    as it lives. Accused is:

    What the runtime itself has proven to be stuck for ever.

    What grows: it never becomes less from look to look, and more at two of them, or at each of the last three where
    clients that came may have brought as many.

    What you do not expect: with --ignore-current all that appear within --duration (10 s unless given) and stay; with
    --older-than 10m all that are known to have waited for so long, be it one alone.

    What has piled up: 100 or more alike, or 20 goroutines that were not started all at once, as a pool is, that only
    others in the program can wake (by a channel, a select, a lock), unless they are seen to go on and come back, as
    loops do, or are no more than there may be connections.

    How long a thread has waited is known only since the first look. Name functions of those that rightly stay with
    --ignore-top-function and --ignore-created-by. The main one never counts.

    With --endpoint or --url a program of Go 1.27 is asked, after a question, to search itself for goroutines that
    nothing can ever wake: these are proven to have leaked. That runs a garbage collection in it.

    The asyncio tasks of a Python are told by memdash's agent alone: with --agent it is in there for as long as this
    takes.

    Of a recording (FILE.mdr[@TIME]) it looks at what was read in the five minutes, or --duration, up to that moment;
    with --ignore-current those do not count that were there when it began.
    """
    expected = Expected(
        top_functions=frozenset(ignore_top_function),
        creators=frozenset(ignore_created_by),
        older_than_s=older_than,
    )
    if choice.recorded is not None:
        if agent and typed("agent"):
            raise UsageError("--agent is for a process that runs", "memdash record --agent records asyncio tasks")
        searched = recorded_leaks(choice.recorded, run, expected, duration, ignores_current=ignore_current)
        return _told(searched, json=json)
    if ignore_current:
        watch = Watch(_NEW_ONES_S if duration is None else duration, _WATCH_S, ignores_current=True)
    else:
        watch = Watch(0.0, _WATCH_S if duration is None else duration)
    wanted = (Agent.NEEDED if typed("agent") else Agent.WANTED) if agent else Agent.NONE
    with signals_raised():
        consent = _consent(agreed=yes) if choice.asks else UNASKED
        searched = search(choice.target(), expected, watch, choice.entries, consent, agent=wanted)
    if searched.proof is not UNASKED:
        words = searched.proof if isinstance(searched.proof, str) else f"not proven: {searched.proof.words}"
        tell(words)
    if searched.kinds == {TaskKind.THREAD} and not agent:
        tell("asyncio tasks, if it has any, are told by memdash's agent alone: --agent brings it for this")
    return _told(searched, json=json)


def _told(searched: Searched, *, json: bool) -> int:
    if json:
        proof = searched.proof if isinstance(searched.proof, Missing) else None
        write_lines([dumps(document(searched.suspects, proof))])
    else:
        write_lines(lines(searched.suspects, searched.kinds))
    return int(any(suspect.charge for suspect in searched.suspects))


def _consent(*, agreed: bool) -> Maybe[Callable[[Action, str], bool]]:
    """Where nobody can be asked, nothing is done that has not been agreed to."""
    if not agreed and not is_terminal(sys.stdin):
        return Missing("that runs a collection in the program, and there is nobody to ask", "give --yes")
    return lambda step, words: agreed or asked(step, words)
