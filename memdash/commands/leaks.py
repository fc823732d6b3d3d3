"""``memdash leaks``: the goroutines or threads of a process that should have ended and have not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from json import dumps

import click

from memdash.analysis.leaks import Expected, Suspect, suspects
from memdash.commands.options import Verb, settings
from memdash.commands.output import STDOUT, writing
from memdash.commands.target import Choice, target_options
from memdash.errors import UnsupportedRuntime, UsageError
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.target import Target
from memdash.model.tasks import Tasks
from memdash.plain import plain
from memdash.probes.probe import ProbeEntry
from memdash.probes.registry import PROBES
from memdash.session.looking import TaskLooks
from memdash.signals import signals_raised
from memdash.units import count

__all__ = ["command", "search"]

_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0)
"""What is about to end gets so much time, and longer each time."""

_NEW_ONES_S = 10.0
"""How long to watch for new ones when those there are do not count, unless --duration says otherwise."""


@click.command(cls=Verb, short_help="Goroutines or threads that should have ended and have not.")
@target_options
@settings("ignore-top-function", "ignore-created-by", "ignore-current", "duration", "json")
def command(
    choice: Choice,
    ignore_top_function: Sequence[str],
    ignore_created_by: Sequence[str],
    ignore_current: bool,
    duration: float | None,
    json: bool,
) -> int:
    """Print the goroutines or threads of a process that stay, with their stacks; exit with 1 when there are any.

    It looks several times over five seconds, with growing pauses, and accuses only what is in the same place each time.
    The main one never counts. A server has others that rightly stay: name the functions they stand in or were started
    by, or leave out all that run now and see which of those stay that appear within --duration (10 s unless given).
    """
    expected = Expected(top_functions=frozenset(ignore_top_function), creators=frozenset(ignore_created_by))
    wait_s = duration if duration is not None else _NEW_ONES_S if ignore_current else 0.0
    with signals_raised():
        found = search(choice.target(), expected, wait_s, ignore_current=ignore_current, entries=choice.entries)
    lines = [dumps(_object(found))] if json else list(_lines(found))
    with writing(STDOUT, force=False) as out:
        out.write("".join(f"{line}\n" for line in lines).encode())
    return int(bool(found))


def search(
    target: Target,
    expected: Expected,
    wait_s: float,
    *,
    ignore_current: bool,
    entries: Sequence[ProbeEntry] = PROBES,
    pause: Callable[[float], object] = time.sleep,
) -> tuple[Suspect, ...]:
    """What stays; a search ends as soon as a look shows nothing. Raises UsageError when nothing can be seen."""
    try:
        with TaskLooks(target, entries) as tasks:
            if ignore_current:
                expected = Expected(
                    top_functions=expected.top_functions, creators=expected.creators, current=tasks.look()
                )
            pause(wait_s)
            looks: list[Tasks] = [tasks.look()]
            _require_creators(looks[0], expected)
            for pause_s in _PAUSES_S:
                if not suspects(looks, expected):
                    break
                pause(pause_s)
                looks.append(tasks.look())
            return suspects(looks, expected)
    except UnsupportedRuntime as error:  # 1 would say that something has leaked
        hint = error.hint or "memdash doctor PID says what can be read of it"
        raise UsageError(f"its goroutines or threads cannot be seen: {error.what}", hint) from None


def _require_creators(tasks: Tasks, expected: Expected) -> None:
    """An endpoint does not tell who started a goroutine: then nothing may be accused that was to be spared."""
    unknown = [task.created_by for task in tasks.groups if isinstance(task.created_by, Missing)]
    if expected.creators and len(unknown) == len(tasks.groups) > 0:
        raise UsageError(f"--ignore-created-by cannot be obeyed: {unknown[0].why}", unknown[0].hint)


def _lines(found: Sequence[Suspect]) -> Iterator[str]:
    if not found:
        yield "no leaks"
    for suspect in found:
        task = suspect.task
        kind = f"{task.kind.value}{'s' if suspect.number != 1 else ''}"
        yield f"{count(suspect.number)} {kind} · {plain(task.state)} · {suspect.evidence}"
        yield from (_frame(frame) for frame in task.stack)
        if not isinstance(task.created_by, Missing):
            yield f"{_frame(task.created_by)}  started it"
        yield ""


def _frame(frame: Frame) -> str:
    return f"    {plain(frame.function)}  {plain(frame.file)}:{frame.line}"


def _object(found: Sequence[Suspect]) -> dict[str, object]:
    from memdash.exports.json import task_row

    return {
        "schema": "memdash.leaks/1",
        "leaks": [
            task_row(suspect.task)
            | {
                "count": suspect.number,
                "first": suspect.first,
                "last": suspect.last,
                "proven": suspect.is_proven,
                "evidence": suspect.evidence,
            }
            for suspect in found
        ],
    }
