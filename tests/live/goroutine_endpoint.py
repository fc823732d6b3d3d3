"""What a target's /debug/pprof/goroutine says, in the terms of memdash's tasks."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.tasks import Task, Tasks
from tests.live.pprof_endpoint import FRAME, abbreviated, fetch
from tests.live.target import GoTarget

__all__ = ["Goroutines", "group_of", "is_of_the_endpoint", "read_groups", "read_ids", "read_stacks", "shown_groups"]

_GROUP = re.compile(r"(\d+) @(?: 0x[0-9a-f]+)*$")
_HEADER = re.compile(r"goroutine \d+ \[([^,\]]+)(?:, (\d+) minutes)?(?:, locked to thread)?\]:$")
_PLACE = re.compile(r"\t(.+):(\d+)(?: \+0x[0-9a-f]+)?$")


class Goroutines(NamedTuple):
    """A state, a stack and the place of the go statement, as tracebacks have them."""

    state: str
    stack: tuple[Frame, ...]
    created_at: tuple[str, int]


def read_groups(target: GoTarget) -> Counter[tuple[Frame, ...]]:
    """From debug=1, how many goroutines have each stack; functions of the runtime are left out."""
    found: Counter[tuple[Frame, ...]] = Counter()
    number, frames = 0, list[Frame]()
    for line in [*fetch(target, "/debug/pprof/goroutine?debug=1").decode().splitlines(), "0 @"]:
        if group := _GROUP.match(line):
            found[_outside(frames)] += number
            number, frames = int(group[1]), []
        elif frame := FRAME.match(line):
            frames.append(Frame(frame[1], frame[2], int(frame[3])))
    return +Counter({stack: count for stack, count in found.items() if not is_of_the_endpoint(stack)})


def shown_groups(tasks: Tasks) -> Counter[tuple[Frame, ...]]:
    """Ours, in the same terms."""
    found: Counter[tuple[Frame, ...]] = Counter()
    for task in tasks.groups:
        if not is_of_the_endpoint(task.stack):
            found[_outside([frame._replace(function=abbreviated(frame.function)) for frame in task.stack])] += (
                task.count
            )
    return found


def _outside(frames: list[Frame]) -> tuple[Frame, ...]:
    return tuple(frame for frame in frames if not frame.function.startswith("runtime."))


def read_ids(target: GoTarget) -> dict[int, str]:
    """From debug=2, the state of every goroutine by its id."""
    text = fetch(target, "/debug/pprof/goroutine?debug=2").decode()
    return {int(found[1]): found[2] for found in re.finditer(r"(?m)^goroutine (\d+) \[([^,\]]+)", text)}


def read_stacks(target: GoTarget) -> Counter[Goroutines]:
    """From debug=2, every goroutine with its state and its whole stack."""
    found: Counter[Goroutines] = Counter()
    for block in fetch(target, "/debug/pprof/goroutine?debug=2").decode().strip().split("\n\n"):
        first, *lines = block.splitlines()
        header = _HEADER.match(first)
        assert header, first
        frames, created_at = [], ("", 0)
        for call, place in zip(lines[::2], lines[1::2], strict=True):
            at = _PLACE.match(place)
            assert at, place
            if call.startswith("created by "):
                created_at = (at[1], int(at[2]))
                continue
            frames.append(Frame(_function(call), at[1], int(at[2])))
        if not is_of_the_endpoint(tuple(frames)):
            found[Goroutines(header[1], tuple(frames), created_at)] += 1
    return found


def _function(call: str) -> str:
    """Without its arguments: ``main.(*T).f`` of ``main.(*T).f(0x1, {0x2, 0x3})``; one has another name there."""
    name = call[: call.rindex("(")]
    return "runtime.gopanic" if name == "panic" else name


def group_of(task: Task) -> Goroutines:
    """One of ours, in the same terms."""
    created = ("", 0) if isinstance(task.created_by, Missing) else (task.created_by.file, task.created_by.line)
    stack = tuple(frame._replace(function=abbreviated(frame.function)) for frame in task.stack)
    return Goroutines(task.state, stack, created)


def is_of_the_endpoint(stack: tuple[Frame, ...]) -> bool:
    """Whether it is one that answers us: it runs while it looks, and waits for us while we look."""
    return not stack or any(frame.function.startswith("net/http.(*conn") for frame in stack)
