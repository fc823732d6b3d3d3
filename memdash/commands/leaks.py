"""``memdash leaks``: the goroutines, threads or asyncio tasks of a process that should have ended and have not."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import dropwhile
from json import dumps

import click

from memdash.analysis.charges import Charge, Loops
from memdash.analysis.leaks import Expected, Suspect, suspects
from memdash.commands.acting import asked
from memdash.commands.denials import denials_told
from memdash.commands.leak_words import document, lines
from memdash.commands.options import Verb, settings, typed
from memdash.commands.output import is_terminal, tell, write_lines
from memdash.commands.replayed import Recorded
from memdash.commands.target import Choice, target_options
from memdash.errors import ProbeError, UnsupportedRuntime, UsageError
from memdash.model.action import Action
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.model.tasks import TaskKind, Tasks
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.session.looking import TaskLooks
from memdash.signals import signals_raised

__all__ = ["Searched", "Watch", "command", "search"]

_SHORTEST_PAUSE_S = 0.05
"""What is about to end gets so much time, and twice as long each time."""

_WATCH_S = 5.15
"""How long all looks take together, unless --duration says otherwise."""

_GLIMPSE_S, _MOST_GLIMPSES = 0.02, 100

_NEW_ONES_S = 10.0
"""How long to watch for new ones when those there are do not count, unless --duration says otherwise."""

_RECORDED_S = 300.0
"""A recording holds one reading a minute."""

_FIRST_WITHIN_S = 60.0

_UNASKED = Missing("nobody asked for it", "--endpoint auto has a program of Go 1.27 search itself")

_BY_MEMORY = "memdash doctor PID says what can be read of it"


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
    same place each time. Of these it accuses those that grow in number from look to look, though not for a few clients
    that come; and 100 or more alike that only others in the program could wake (by a channel, a select, a lock), or 20
    that were not started all at once, as a pool is. No more of them than there are connections may serve these, and
    where one is seen to go on and to come back they are loops. What else stays is shown and not accused: the loops that
    every service runs wait for as long as it lives, and many a service waits for clocks, the network and system calls.

    --older-than 10m accuses those too that are known to have waited for so long, be it one alone; how long a thread has
    waited is known only since the first look. With --ignore-current those that run now may stay, and all that appear
    within --duration (10 s unless given) and stay are accused. Name functions of those that rightly stay with
    --ignore-top-function and --ignore-created-by. The main one never counts.

    With --endpoint or --url a program of Go 1.27 is asked, after a question, to search itself for goroutines that
    nothing can ever wake: these are proven to have leaked. That runs a garbage collection in it.

    The asyncio tasks of a Python are told by memdash's agent alone: with --agent it is in there for as long as this
    takes.

    Of a recording (FILE.mdr[@TIME]) it looks at what was read in the five minutes, or --duration, up to that moment;
    with --ignore-current those do not count that were there when it began.
    """
    expected = Expected(top_functions=frozenset(ignore_top_function), creators=frozenset(ignore_created_by))
    if choice.recorded is not None:
        if agent and typed("agent"):
            raise UsageError("--agent is for a process that runs", "memdash record --agent records asyncio tasks")
        searched = recorded_leaks(
            choice.recorded, run, expected, duration, ignores_current=ignore_current, older_than_s=older_than
        )
        return _told(searched, json=json)
    if ignore_current:
        watch = Watch(_NEW_ONES_S if duration is None else duration, _WATCH_S, True, older_than)
    else:
        watch = Watch(0.0, _WATCH_S if duration is None else duration, False, older_than)
    with signals_raised():
        consent = _consent(agreed=yes) if choice.asks else _UNASKED
        searched = search(
            choice.target(), expected, watch, choice.entries, consent, agent=agent, needs_agent=typed("agent")
        )
    if searched.proof is not _UNASKED:
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


def recorded_leaks(
    file: Recorded,
    run: int | None,
    expected: Expected,
    duration_s: float | None,
    *,
    ignores_current: bool,
    older_than_s: float | None = None,
) -> Searched:
    """The same of a recording, from the tasks that were read up to a moment. Raises UsageError, RecordingError."""
    with closing(file.open(run)) as past:
        at_s = file.instant_s(past)
        since_s = at_s - (_RECORDED_S if duration_s is None else duration_s)
        looks = _of_all_kinds(past.tasks(since_s, at_s))
        files = max((number for _, number in past.series("system.fds", since_s, at_s).known), default=0.0)
        first = past.tasks(-math.inf, past.run.since.mono_s + _FIRST_WITHIN_S)
    if not looks:
        hint = "give a longer --duration" if first else "memdash doctor PID says how those of a process are read"
        raise UsageError("no goroutines or threads were recorded in that time", hint)
    _require_stacks(looks[0])
    _require_creators(looks[0], expected)
    if ignores_current and first:
        expected = replace(expected, current=first[0])
    return Searched(suspects(looks, expected, older_than_s=older_than_s, files=files), kinds=_kinds(looks))


def _of_all_kinds(looks: Sequence[Tasks]) -> Sequence[Tasks]:
    """Those that show every kind that the last one does: asyncio's tasks are not told before the agent is there."""
    kinds = _kinds(looks[-1:])
    return [*dropwhile(lambda look: not kinds <= _kinds((look,)), looks)]


def _consent(*, agreed: bool) -> Maybe[Callable[[Action, str], bool]]:
    """Where nobody can be asked, nothing is done that has not been agreed to."""
    if not agreed and not is_terminal(sys.stdin):
        return Missing("that runs a collection in the program, and there is nobody to ask", "give --yes")
    return lambda step, words: agreed or asked(step, words)


@dataclass(frozen=True, slots=True)
class Watch:
    """Seconds to wait before the first look, and from that to the last one; whether those there before may stay.

    What has waited for ``older_than_s`` seconds is accused, where that is given.
    """

    wait_s: float
    watch_s: float
    ignores_current: bool = False
    older_than_s: float | None = None

    def pauses(self) -> Iterator[float]:
        """Between two looks."""
        left_s, pause_s = self.watch_s, _SHORTEST_PAUSE_S
        while left_s > 0:
            yield min(pause_s, left_s)
            left_s, pause_s = left_s - pause_s, 2 * pause_s


@dataclass(frozen=True, slots=True)
class Searched:
    """What stays, of which kinds there are any, and what the runtime's own search has found, or why there was none."""

    suspects: tuple[Suspect, ...]
    proof: Maybe[str] = _UNASKED
    kinds: frozenset[TaskKind] = frozenset()


def search(
    target: Target,
    expected: Expected,
    watch: Watch,
    entries: Sequence[ProbeEntry] = PROBES,
    consent: Maybe[Callable[[Action, str], bool]] = _UNASKED,
    pause: Callable[[float], object] = time.sleep,
    *,
    agent: bool = False,
    needs_agent: bool = True,
) -> Searched:
    """Look again and again; a search ends as soon as a look shows nothing.

    Memdash's ``agent`` comes before the first look where that is wanted, and without it nothing is searched, unless it
    is not needed.

    With ``consent`` the runtime is asked to search too, where it can be, which that allows or not; else that says why
    nobody can allow it. Raises UsageError when nothing can be seen, AccessDenied when nothing may be.
    """
    try:
        with denials_told(target), TaskLooks(target, entries) as tasks:
            if agent:
                _bring_agent(tasks, is_needed=needs_agent)
            if watch.ignores_current:
                expected = replace(expected, current=tasks.look())
            pause(watch.wait_s)
            proof = consent if consent is _UNASKED else tasks.search(consent)
            looks, loops = [tasks.look()], Loops()
            loops.look(looks[0])
            files = tasks.files()
            _require_stacks(looks[0])
            _require_creators(looks[0], expected)
            for pause_s in watch.pauses():
                found = suspects(looks, expected, loops=loops.seen, files=files)
                if not found:
                    break
                has_pile = any(suspect.charge is Charge.NUMBER for suspect in found)
                for part_s in _parts(pause_s, has_pile=has_pile):
                    pause(part_s)
                    newest = tasks.look()
                    loops.look(newest)
                looks.append(newest)
            has_searched = not isinstance(proof, Missing)
            found = suspects(
                looks,
                expected,
                searched=has_searched,
                older_than_s=watch.older_than_s,
                loops=loops.seen,
                files=files,
            )
            return Searched(found, proof, _kinds(looks))
    except UnsupportedRuntime as error:  # 1 would say that something has leaked
        hint = error.hint or _BY_MEMORY
        raise UsageError(f"its goroutines or threads cannot be seen: {error.what}", hint) from None


def _parts(pause_s: float, *, has_pile: bool) -> Iterator[float]:
    """What a pause is cut into by glimpses at whether one of many alike is away: it may be so for a millisecond only.

    They take no longer than the pause would, however many goroutines there are.
    """
    number = max(1, min(_MOST_GLIMPSES, round(pause_s / _GLIMPSE_S))) if has_pile else 1
    until_s = time.monotonic() + pause_s
    for _ in range(number):
        yield pause_s / number
        if time.monotonic() > until_s:
            return


def _bring_agent(tasks: TaskLooks, *, is_needed: bool) -> None:
    """Say that it does not come, or raise UsageError for that: 1 would say that something has leaked."""
    try:
        tasks.bring_agent(tell)
    except ProbeError as error:
        words = f"its asyncio tasks cannot be seen: {error.what}"
        if is_needed:
            raise UsageError(words, error.hint) from None
        tell(words)


def _require_stacks(tasks: Tasks) -> None:
    """A gops agent only counts goroutines: that tells nothing of which they are."""
    if tasks.groups and not any(task.stack for task in tasks.groups):
        why = next((task.created_by for task in tasks.groups if isinstance(task.created_by, Missing)), None)
        raise UsageError("where its goroutines stand is not told" + (f": {why.why}" if why else ""), _BY_MEMORY)


def _require_creators(tasks: Tasks, expected: Expected) -> None:
    """An endpoint does not tell who started a goroutine: then nothing may be accused that was to be spared."""
    unknown = [task.created_by for task in tasks.groups if isinstance(task.created_by, Missing)]
    if expected.creators and len(unknown) == len(tasks.groups) > 0:
        raise UsageError(f"--ignore-created-by cannot be obeyed: {unknown[0].why}", unknown[0].hint)


def _kinds(looks: Iterable[Tasks]) -> frozenset[TaskKind]:
    return frozenset(task.kind for tasks in looks for task in tasks.groups)
