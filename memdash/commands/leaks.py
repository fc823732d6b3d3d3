"""``memdash leaks``: the goroutines, threads or asyncio tasks of a process that should have ended and have not."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from json import dumps

import click

from memdash.analysis.leaks import Expected, Suspect, suspects
from memdash.commands.acting import asked
from memdash.commands.denials import denials_told
from memdash.commands.options import Verb, settings, typed
from memdash.commands.output import is_terminal, tell, write_lines
from memdash.commands.replayed import Recorded
from memdash.commands.target import Choice, target_options
from memdash.errors import ProbeError, UnsupportedRuntime, UsageError
from memdash.model.action import Action
from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame
from memdash.model.target import Target
from memdash.model.tasks import TaskKind, Tasks
from memdash.plain import plain
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.session.looking import TaskLooks
from memdash.signals import signals_raised
from memdash.tables.tasks import state_words
from memdash.units import count

__all__ = ["Searched", "Watch", "command", "search"]

_SHORTEST_PAUSE_S = 0.05
"""What is about to end gets so much time, and twice as long each time."""

_WATCH_S = 5.15
"""How long all looks take together, unless --duration says otherwise."""

_NEW_ONES_S = 10.0
"""How long to watch for new ones when those there are do not count, unless --duration says otherwise."""

_RECORDED_S = 300.0
"""A recording holds one reading a minute."""

_FIRST_WITHIN_S = 60.0

_UNASKED = Missing("nobody asked for it", "--endpoint auto has a program of Go 1.27 search itself")
_ALONE = "each of these is one alone and does not grow; the loops that every service runs look so too"
_SPARE = " · --ignore-current leaves out those that run now"

_BY_MEMORY = "memdash doctor PID says what can be read of it"


@click.command(cls=Verb, short_help="Goroutines, threads and asyncio tasks that should have ended and have not.")
@target_options
@settings("ignore-top-function", "ignore-created-by", "ignore-current", "duration", "agent", "json", "yes", "run")
def command(
    choice: Choice,
    ignore_top_function: Sequence[str],
    ignore_created_by: Sequence[str],
    ignore_current: bool,
    duration: float | None,
    agent: bool,
    json: bool,
    yes: bool,
    run: int | None,
) -> int:
    """Print the goroutines or threads of a process that stay, with their stacks; exit with 1 when some have leaked.

    It looks several times, with growing pauses, over five seconds or --duration, and accuses only those that are in the
    same place each time; what answers a request for as long looks like that too. The main one never counts. A server
    has others that rightly stay, and one alone that does not grow is no more than shown: loops that every service runs
    look so, and a long request. Of the others name the functions they stand in or were started by, or leave out all
    that run now and see which of those stay that appear within --duration (10 s unless given): there one alone counts
    too.

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
        searched = recorded_leaks(choice.recorded, run, expected, duration, ignores_current=ignore_current)
        return _told(searched, json=json, ignores_current=ignore_current)
    if ignore_current:
        watch = Watch(_NEW_ONES_S if duration is None else duration, _WATCH_S, ignores_current=True)
    else:
        watch = Watch(0.0, _WATCH_S if duration is None else duration)
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
    return _told(searched, json=json, ignores_current=ignore_current)


def _told(searched: Searched, *, json: bool, ignores_current: bool) -> int:
    write_lines([dumps(_object(searched))] if json else _lines(searched, "" if ignores_current else _SPARE))
    return int(any(ignores_current or not suspect.is_lone for suspect in searched.suspects))


def recorded_leaks(
    file: Recorded, run: int | None, expected: Expected, duration_s: float | None, *, ignores_current: bool
) -> Searched:
    """The same of a recording, from the tasks that were read up to a moment. Raises UsageError, RecordingError."""
    with closing(file.open(run)) as past:
        at_s = file.instant_s(past)
        looks = past.tasks(at_s - (_RECORDED_S if duration_s is None else duration_s), at_s)
        first = past.tasks(-math.inf, past.run.since.mono_s + _FIRST_WITHIN_S)
    if not looks:
        hint = "give a longer --duration" if first else "memdash doctor PID says how those of a process are read"
        raise UsageError("no goroutines or threads were recorded in that time", hint)
    _require_stacks(looks[0])
    _require_creators(looks[0], expected)
    if ignores_current and first:
        expected = replace(expected, current=first[0])
    return Searched(suspects(looks, expected), kinds=_kinds(looks))


def _consent(*, agreed: bool) -> Maybe[Callable[[Action, str], bool]]:
    """Where nobody can be asked, nothing is done that has not been agreed to."""
    if not agreed and not is_terminal(sys.stdin):
        return Missing("that runs a collection in the program, and there is nobody to ask", "give --yes")
    return lambda step, words: agreed or asked(step, words)


@dataclass(frozen=True, slots=True)
class Watch:
    """Seconds to wait before the first look, and from that to the last one; whether those there before may stay."""

    wait_s: float
    watch_s: float
    ignores_current: bool = False

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
            looks: list[Tasks] = [tasks.look()]
            _require_stacks(looks[0])
            _require_creators(looks[0], expected)
            for pause_s in watch.pauses():
                if not suspects(looks, expected):
                    break
                pause(pause_s)
                looks.append(tasks.look())
            return Searched(suspects(looks, expected, searched=not isinstance(proof, Missing)), proof, _kinds(looks))
    except UnsupportedRuntime as error:  # 1 would say that something has leaked
        hint = error.hint or _BY_MEMORY
        raise UsageError(f"its goroutines or threads cannot be seen: {error.what}", hint) from None


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


def _lines(searched: Searched, hint: str) -> Iterator[str]:
    """The groups of several and those that grow, then those that are one alone; a summary last, where one looks.

    Where there are none it says what was looked at: that memory does not leak is nothing it could tell.
    """
    found = searched.suspects
    several = [suspect for suspect in found if not suspect.is_lone]
    lone = [suspect for suspect in found if suspect.is_lone]
    if not found:
        yield f"no leaked {' or '.join(sorted(kind.words(0) for kind in searched.kinds)) or 'goroutines or threads'}"
    for suspect in several:
        yield from _group(suspect)
    if lone:
        yield from (f"{_ALONE}:", "")
    for suspect in lone:
        yield from _group(suspect)
    if found:
        number = sum(suspect.number for suspect in several)
        groups = f"{count(len(several))} group{'s' * (len(several) != 1)} of several or growing"
        yield f"{groups}, {count(number)} in all · {count(len(lone))} alone{hint}"


def _group(suspect: Suspect) -> Iterator[str]:
    task = suspect.task
    number = f"{count(suspect.number)} {task.kind.words(suspect.number)}"
    yield f"{number} · {plain(state_words(task))} · {suspect.verdict}: {suspect.evidence}"
    yield from (_frame(frame) for frame in task.stack)
    if not isinstance(task.created_by, Missing):
        yield f"{_frame(task.created_by)}  {'what it was begun with' if task.kind.is_begun_with else 'started it'}"
    yield ""


def _frame(frame: Frame) -> str:
    return f"    {plain(frame.function)}  {plain(frame.where())}".rstrip()


def _object(searched: Searched) -> dict[str, object]:
    from memdash.exports.json import task_row

    return {
        "schema": "memdash.leaks/1",
        "searched": not isinstance(searched.proof, Missing),
        "missing": {"proof": searched.proof.words} if isinstance(searched.proof, Missing) else {},
        "leaks": [
            task_row(suspect.task)
            | {
                "count": suspect.number,
                "first": suspect.first,
                "last": suspect.last,
                "verdict": suspect.verdict,
                "proven": suspect.task.is_leaked,
                "growth": suspect.growth,
                "same": suspect.are_same,
                "alone": suspect.is_lone,
                "evidence": suspect.evidence,
            }
            for suspect in searched.suspects
        ],
    }
