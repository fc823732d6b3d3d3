"""What an agent has told, as memdash's nouns. It is text from the target: checked, cut, and refused if it is nonsense.

Every function here raises AgentUnreachable for what no agent of ours would say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from memdash.errors import AgentUnreachable, ProbeError
from memdash.model.malloc import Malloc
from memdash.model.missing import Missing
from memdash.model.profile import Frame
from memdash.model.tasks import Task, TaskKind
from memdash.probes.cpython.agent.peer import Fields
from memdash.probes.cpython.library import own_at
from memdash.units import count

__all__ = [
    "Begun",
    "PausesTold",
    "Told",
    "collected",
    "malloc",
    "names",
    "nothing",
    "pauses",
    "places",
    "sampling",
    "tasks",
    "trimmed",
    "unsampled",
]

T = TypeVar("T")

_RUNNING = "running"
_LARGEST = 1 << 63
_LONGEST_TEXT = 400
_NS_PER_S = 1e9

_NO_CREATOR = Missing("asyncio notes where a task was made only in its debug mode", "set PYTHONASYNCIODEBUG=1")
_NO_WAIT = Missing("asyncio does not note since when a task waits")


class PausesTold(NamedTuple):
    """Collections since the agent began to time them: how many, how long in all, and (end, length) of the newest.

    Ends are of CLOCK_MONOTONIC.
    """

    number: int
    total_ns: int
    ended: dict[int, int]


class Begun(NamedTuple):
    """The sampler, which samples; at another rate than ours if another memdash has begun it."""

    header_at: int
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """An answer, and how long it took the target to find it."""

    value: T
    took_s: float


def nothing(_: Fields) -> None:
    """An answer that says no more than that it has been done."""


def collected(told: Fields) -> str:
    """What came of a collection."""
    number = _whole(told.get("collected"))
    return f"{count(number)} {'object' if number == 1 else 'objects'} collected"


def trimmed(told: Fields) -> str:
    """What came of giving memory back. Raises ProbeError when it could not be asked for."""
    _require_done(told)
    return "memory given back" if _whole(told.get("trimmed")) else "nothing to give back"


def pauses(told: Fields) -> PausesTold:
    """The newest pauses, and what all of them add up to."""
    ended = {_whole(end_ns): _whole(length_ns) for end_ns, length_ns in _rows(told.get("pauses"), 2)}
    return PausesTold(_whole(told.get("number")), _whole(told.get("total_ns")), ended)


def malloc(told: Fields) -> Told[Malloc]:
    """The figures of malloc, or why the target could not be asked for them."""
    if "why" in told:
        why = Missing(_text(told["why"]))
        return Told(Malloc(in_use_bytes=why, mapped_bytes=why, free_bytes=why, trimmable_bytes=why), 0.0)
    fact = Malloc(
        in_use_bytes=_whole(told.get("in_use")),
        mapped_bytes=_whole(told.get("mapped")),
        free_bytes=_whole(told.get("free")),
        trimmable_bytes=_whole(told.get("trimmable")),
    )
    return Told(fact, _whole(told.get("took_ns")) / _NS_PER_S)


def names(told: Fields) -> Told[dict[int, str]]:
    """Names of threads by the identifiers that pthread_self gives."""
    found = told.get("names")
    if not isinstance(found, dict) or not all(ident.isdecimal() and len(ident) < 20 for ident in found):
        raise _nonsense()
    return Told({int(ident): _text(name) for ident, name in found.items()}, 0.0)


def sampling(told: Fields) -> Begun:
    """Where the sampler's header is, and who began it. Raises ProbeError with its reason when it does not sample."""
    _require_done(told)
    return Begun(_whole(told.get("header")), is_ours=told.get("ours") is True)


def unsampled(told: Fields) -> str:
    """What came of the end of sampling. Raises ProbeError when it goes on."""
    _require_done(told)
    if told.get("left"):
        return "what others have hooked since stays below theirs, and passes everything through"
    return "the target has its own allocators back"


def places(told: Fields) -> list[Frame]:
    """Places in code, with functions as their code objects call them."""
    files = told.get("files")
    if not isinstance(files, list):
        raise _nonsense()
    rows = _rows(told.get("rows"), 3)
    if not all(0 <= _whole(file) < len(files) for file, _, _ in rows):
        raise _nonsense()
    return [_frame(name, files[file], line) for file, name, line in rows]


def tasks(told: Fields) -> Told[tuple[Task, ...]]:
    """Groups of asyncio tasks; those that are in none are told as one, so that the total is right."""
    groups: dict[Any, Task] = {}
    for number, name, state, creator, stack in _rows(told.get("groups"), 5):
        frames = tuple(_frame(*row) for row in _rows(stack, 3))
        task = Task(
            kind=TaskKind.ASYNCIO,
            count=_whole(number),
            state=_text(state),
            stack=frames,
            created_by=_NO_CREATOR if creator is None else _frame(*next(iter(_rows([creator], 3)))),
            waiting_s=_NO_WAIT,
            name=_text(name),
            own_at=own_at(frames),
            is_busy=state == _RUNNING,
        )
        if task.key in groups:
            raise _nonsense()
        groups[task.key] = task
    rest = _whole(told.get("total")) - sum(task.count for task in groups.values())
    if rest > 0:
        groups[None] = Task(
            kind=TaskKind.ASYNCIO,
            count=rest,
            state="not looked at",
            stack=(),
            created_by=_NO_CREATOR,
            waiting_s=_NO_WAIT,
            name="others",
        )
    return Told(tuple(groups.values()), _whole(told.get("took_ns")) / _NS_PER_S)


def _require_done(told: Fields) -> None:
    """Raises ProbeError with the reason, where it says one."""
    if "why" in told:
        raise ProbeError(_text(told["why"]))


def _frame(function: object, file: object, line: object) -> Frame:
    return Frame(_text(function), _text(file), _whole(line))


def _rows(value: object, width: int) -> list[list[Any]]:
    if not isinstance(value, list) or not all(isinstance(row, list) and len(row) == width for row in value):
        raise _nonsense()
    return value


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < _LARGEST:
        raise _nonsense()
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _nonsense()
    return value[:_LONGEST_TEXT]


def _nonsense() -> AgentUnreachable:
    return AgentUnreachable("the agent told something that makes no sense")
