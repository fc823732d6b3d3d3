"""How ``memdash leaks`` looks for tasks that stay: again and again at a process, or at what a recording holds."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum
from itertools import dropwhile

from memdash.analysis.charges import Charge
from memdash.analysis.leaks import Suspect, suspects
from memdash.analysis.loops import Loops
from memdash.analysis.staying import Expected
from memdash.commands.denials import denials_told
from memdash.commands.output import tell
from memdash.commands.replayed import Recorded
from memdash.errors import ProbeError, UnsupportedRuntime, UsageError
from memdash.model.action import Action
from memdash.model.missing import Maybe, Missing
from memdash.model.target import Target
from memdash.model.tasks import TaskKind, Tasks
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.session.looking import TaskLooks

__all__ = ["UNASKED", "Agent", "Searched", "Watch", "recorded_leaks", "search"]

UNASKED = Missing("nobody asked for it", "--endpoint auto has a program of Go 1.27 search itself")
"""Of proof by the runtime's own search."""

_SHORTEST_PAUSE_S = 0.05
"""What is about to end gets so much time, and twice as long each time."""

_GLIMPSE_S, _MOST_GLIMPSES = 0.02, 100
"""Between two glimpses at least, and in one pause at most."""

_RECORDED_S = 300.0
"""A recording holds one reading a minute."""

_FIRST_WITHIN_S = 60.0
"""So long after a recording began its tasks have been read, and the agent has come that tells more of them."""

_UNRECORDED = Missing("the number of open files was not recorded")
_BY_MEMORY = "memdash doctor PID says what can be read of it"


class Agent(Enum):
    """Whether memdash's agent comes before the first look; where one is needed that does not, nothing is searched."""

    NONE = "none"
    WANTED = "wanted"
    NEEDED = "needed"


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
    proof: Maybe[str] = UNASKED
    kinds: frozenset[TaskKind] = frozenset()


def search(
    target: Target,
    expected: Expected,
    watch: Watch,
    entries: Sequence[ProbeEntry] = PROBES,
    consent: Maybe[Callable[[Action, str], bool]] = UNASKED,
    pause: Callable[[float], object] = time.sleep,
    *,
    agent: Agent = Agent.NONE,
) -> Searched:
    """Look again and again; a search ends as soon as a look shows nothing.

    With ``consent`` the runtime is asked to search too, where it can be, which that allows or not; else that says why
    nobody can allow it. Raises UsageError when nothing can be seen, AccessDenied when nothing may be.
    """
    try:
        with denials_told(target), TaskLooks(target, entries) as tasks:
            if agent is not Agent.NONE:
                _bring_agent(tasks, agent)
            if watch.ignores_current:
                expected = replace(expected, current=tasks.look())
            pause(watch.wait_s)
            proof = consent if consent is UNASKED else tasks.search(consent)
            looks, loops, files = [tasks.look()], Loops(), tasks.files()
            loops.look(looks[0])
            _require_stacks(looks[0])
            _require_creators(looks[0], expected)

            def found() -> tuple[Suspect, ...]:
                searched = not isinstance(proof, Missing)
                return suspects(looks, expected, searched=searched, loops=loops.seen, files=files)

            for pause_s in watch.pauses():
                staying = found()
                if not staying:
                    break
                for part_s in _parts(pause_s, _glimpses(pause_s, staying)):
                    pause(part_s)
                    newest = tasks.look()
                    loops.look(newest)
                looks.append(newest)
            return Searched(found(), proof, _kinds(looks))
    except UnsupportedRuntime as error:  # 1 would say that something has leaked
        hint = error.hint or _BY_MEMORY
        raise UsageError(f"its goroutines or threads cannot be seen: {error.what}", hint) from None


def recorded_leaks(
    file: Recorded,
    run: int | None,
    expected: Expected,
    duration_s: float | None,
    *,
    ignores_current: bool,
) -> Searched:
    """Look at the tasks of a recording that were read up to a moment. Raises UsageError, RecordingError."""
    with closing(file.open(run)) as past:
        at_s = file.instant_s(past)
        since_s = at_s - (_RECORDED_S if duration_s is None else duration_s)
        looks = _of_all_kinds(past.tasks(since_s, at_s))
        files = max((number for _, number in past.series("system.fds", since_s, at_s).known), default=_UNRECORDED)
        early = past.tasks(-math.inf, past.run.since.mono_s + _FIRST_WITHIN_S)
    if not looks:
        hint = "give a longer --duration" if early else "memdash doctor PID says how those of a process are read"
        raise UsageError("no goroutines or threads were recorded in that time", hint)
    _require_stacks(looks[0])
    _require_creators(looks[0], expected)
    if ignores_current:
        expected = replace(expected, current=_first(early, looks))
    return Searched(suspects(looks, expected, files=files), kinds=_kinds(looks))


def _first(early: Sequence[Tasks], looks: Sequence[Tasks]) -> Tasks:
    """The tasks that there were when a recording began, or when all kinds of them could be told."""
    kinds = _kinds(looks[-1:])
    return next((tasks for tasks in early if kinds <= _kinds((tasks,))), looks[0])


def _of_all_kinds(looks: Sequence[Tasks]) -> Sequence[Tasks]:
    """Those that show every kind that the last one does: asyncio's tasks are not told before the agent is there."""
    kinds = _kinds(looks[-1:])
    return [*dropwhile(lambda look: not kinds <= _kinds((look,)), looks)]


def _glimpses(pause_s: float, staying: Sequence[Suspect]) -> int:
    """How often to look whether one of many alike is away, which it may be for a millisecond only: once for others."""
    has_pile = any(suspect.charge is Charge.NUMBER for suspect in staying)
    return max(1, min(_MOST_GLIMPSES, round(pause_s / _GLIMPSE_S))) if has_pile else 1


def _parts(pause_s: float, number: int) -> Iterator[float]:
    """What a pause is cut into by that many looks; fewer where they take long, as of very many goroutines."""
    until_s = time.monotonic() + pause_s
    for _ in range(number):
        yield pause_s / number
        if time.monotonic() > until_s:
            return


def _bring_agent(tasks: TaskLooks, agent: Agent) -> None:
    """Say that it does not come, or raise UsageError for that: 1 would say that something has leaked."""
    try:
        tasks.bring_agent(tell)
    except ProbeError as error:
        words = f"its asyncio tasks cannot be seen: {error.what}"
        if agent is Agent.NEEDED:
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
