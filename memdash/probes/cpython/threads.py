"""Threads as memdash's nouns have them: groups with a stack, what they do, how long, and by what they were begun."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from memdash.model.missing import Maybe, Missing
from memdash.model.profile import Frame
from memdash.model.tasks import Task, TaskKey, TaskKind
from memdash.probes.cpython.code import CodeObjects
from memdash.probes.cpython.gil import Gils
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.library import own_at
from memdash.probes.cpython.native_ids import NativeIds
from memdash.probes.cpython.stacks import Stack, Stacks
from memdash.probes.cpython.states import ThreadState, thread_states
from memdash.process.rest import RAN, UNCOUNTED, Rest
from memdash.process.threads import Doing, Threads

__all__ = ["MOVED", "ThreadWatch"]

_MOST_STACKS = 1024
"""Of so many threads the stacks are read, the oldest ones; the others are counted."""

_LOOKED_AT = 4
_MOST_TRIES = 3

MOVED = Frame("(its stack moved while it was read)", "", 0)
_CUT = Frame("(frames further out were not read)", "", 0)
_NO_FRAME = Frame("(no Python frame)", "", 0)
_UNREAD = Frame("(one of too many threads to read)", "", 0)

_HOLDS, _WANTS = "holds the GIL", "wants the GIL"
_RUNNING = "running"
_RUNS = frozenset({_RUNNING, _HOLDS, _WANTS})
_UNSURE = Doing("state unknown", 0, None)

_BOOTSTRAP = "_bootstrap_inner"
_THREADING = "/threading.py"

_MAIN = Missing("it is the thread that the program began with")
_TOO_DEEP = Missing("its stack is deeper than what is read of it")
_NO_STACK = Missing("its stack could not be read")


def _nobody() -> Mapping[int, str]:
    return {}


class _Thread(NamedTuple):
    state: ThreadState
    tid: int
    stack: tuple[Frame, ...]
    created_by: Maybe[Frame]


class ThreadWatch:
    """Reads all threads, and remembers since when each has not run.

    100 sleeping threads with stacks of 20 frames: 6 ms CPU. ``names`` gives Python's own names by thread ident.
    """

    def __init__(self, interpreter: Interpreter, names: Callable[[], Mapping[int, str]] = _nobody) -> None:
        """Raises LayoutRefused when the layout lacks a member."""
        self._interpreter = interpreter
        self._names = names
        self._codes, self._stacks, self._gils = CodeObjects(interpreter), Stacks(interpreter), Gils(interpreter)
        self._os = Threads(interpreter.memory.pid)
        self._ids = NativeIds(interpreter.memory)
        self._frames: dict[Stack, tuple[tuple[Frame, ...], Maybe[Frame]]] = {}
        self._begun: dict[ThreadState, Maybe[Frame]] = {}
        self._rest = Rest()

    def outermost(self) -> list[Maybe[Frame]]:
        """Where the four oldest threads began, those that run Python. Raises BadRead, AccessDenied, TargetExited."""
        states = thread_states(self._interpreter)[::-1][:_LOOKED_AT]
        stacks = self._stacks.read([state.address for state in states])
        began = [stack.places[-1] if stack else None for stack in stacks if stack is None or stack.places]
        self._codes.look_at({place.code for place in began if place})
        frames = [self._codes.frame(place) if place else None for place in began]
        return [frame or _NO_STACK for frame in frames]

    def unknown_holders(self) -> frozenset[int]:
        """The thread states that hold a lock of an interpreter and are in no list, in each of several looks.

        One that ends holds it for a moment after it has left its list, and who takes it is told only after that.
        Raises as ``look`` does.
        """
        states = thread_states(self._interpreter)
        gils = self._gils.of({state.interpreter for state in states})
        strangers = self._gils.holders(gils) - {state.address for state in states}
        for _ in range(_MOST_TRIES):
            if not strangers:
                break
            strangers -= {state.address for state in thread_states(self._interpreter)}
            strangers &= self._gils.holders(gils)
        return strangers

    def look(self) -> tuple[Task, ...]:
        """All threads of all interpreters, alike ones in groups. Raises BadRead, AccessDenied, TargetExited."""
        threads, unread = self._threads()
        gils = self._gils.of({thread.state.interpreter for thread in threads})
        before = self._gils.holders(gils)
        doing = [self._os.doing(thread.tid) if thread.tid else _UNSURE for thread in threads]
        holders = before & self._gils.holders(gils)
        rested = self._rest.take({thread.tid: done for thread, done in zip(threads, doing, strict=True) if done})
        names, own_names = self._names(), self._os.names({thread.tid for thread in threads})
        groups: dict[TaskKey, Task] = {}
        ids: dict[TaskKey, list[int]] = {}
        for thread, done in zip(threads, doing, strict=True):
            if done is None:
                continue  # it has ended meanwhile
            state = self._state(thread.state.address in holders, done, gils)
            task = Task(
                kind=TaskKind.THREAD,
                count=1,
                state=state,
                stack=thread.stack,
                created_by=thread.created_by,
                waiting_s=RAN if state in _RUNS else rested.get(thread.tid, UNCOUNTED),
                name=names.get(thread.state.ident) or own_names.get(thread.tid, ""),
                own_at=own_at(thread.stack),
                is_busy=state in _RUNS or state.startswith(_HOLDS),
            )
            groups[task.key] = _joined(groups.get(task.key), task)
            ids.setdefault(task.key, []).append(thread.tid)
        groups = {
            key: replace(task, ids=frozenset(ids[key])) if all(ids[key]) else task for key, task in groups.items()
        }
        if unread:
            rest = Task(
                kind=TaskKind.THREAD, count=unread, state="not read", stack=(_UNREAD,),
                created_by=_NO_STACK, waiting_s=_NO_STACK,
            )  # fmt: skip
            groups[rest.key] = rest
        return tuple(groups.values())

    def _threads(self) -> tuple[list[_Thread], int]:
        """Those whose stacks are read, oldest first, and how many there are besides."""
        states = thread_states(self._interpreter)[::-1]
        ids = self._os.ids()
        tids = self._ids.of(states, ids)
        known = any(tids)
        # A state whose thread has ended is about to go; an interpreter that no thread is in keeps one without frames.
        living = [(state, tid) for state, tid in zip(states, tids, strict=True) if tid or not known]
        read = living[:_MOST_STACKS]
        stacks = self._readable(self._stacks.read([state.address for state, _ in read]))
        threads = []
        begun: dict[ThreadState, Maybe[Frame]] = {}
        for (state, tid), stack in zip(read, stacks, strict=True):
            frames, created_by = self._frames_of(state, stack)
            if frames == (MOVED,):
                created_by = self._begun.get(state, created_by)
            begun[state] = created_by
            if frames or state.interpreter == self._interpreter.main:
                is_first = tid == self._interpreter.memory.pid
                threads.append(_Thread(state, tid, frames or (_NO_FRAME,), _MAIN if is_first else created_by))
        self._begun = begun
        return threads, len(living) - len(read)

    def _readable(self, stacks: Sequence[Stack | None]) -> Sequence[Stack | None]:
        """The same stacks, once the code that they run is known."""
        if self._codes.look_at({place.code for stack in stacks if stack for place in stack.places}):
            self._frames.clear()
        current = {stack for stack in stacks if stack}
        self._frames = {stack: frames for stack, frames in self._frames.items() if stack in current}
        return stacks

    def _frames_of(self, state: ThreadState, stack: Stack | None) -> tuple[tuple[Frame, ...], Maybe[Frame]]:
        """The stack in words, innermost first, and what the thread was begun with. Looks again while it moves."""
        for _ in range(_MOST_TRIES):
            if stack is not None:
                held = self._frames.get(stack)
                if held is not None:
                    return held
                frames = tuple(frame for place in stack.places if (frame := self._codes.frame(place)))
                if len(frames) == len(stack.places):
                    found = (frames + (_CUT,) * stack.is_cut, self._begun_by(stack, frames))
                    self._frames[stack] = found
                    return found
            stack = self._stacks.again(state.address)
            if stack is not None:
                self._codes.look_at({place.code for place in stack.places})
        return (MOVED,), _NO_STACK

    def _begun_by(self, stack: Stack, frames: Sequence[Frame]) -> Maybe[Frame]:
        """The outermost function below those with which the threading module begins a thread, at its first line."""
        if stack.is_cut:
            return _TOO_DEEP
        outermost_first = range(len(frames) - 1, -1, -1)
        begun = [number for number in outermost_first if frames[number].function.endswith(_BOOTSTRAP)]
        below = range(begun[0] - 1, -1, -1) if begun else outermost_first
        outside = (number for number in below if not frames[number].file.endswith(_THREADING))
        number = next(outside, below[0] if below else None)
        frame = None if number is None else self._codes.beginning(stack.places[number])
        return _NO_STACK if frame is None else frame

    def _state(self, holds: bool, doing: Doing, gils: frozenset[int]) -> str:
        if doing.futex and self._gils.is_within(doing.futex, gils):
            return _WANTS
        if holds:
            return _HOLDS if doing is _UNSURE or doing.words == _RUNNING else f"{_HOLDS} {doing.words}"
        return doing.words


def _joined(group: Task | None, task: Task) -> Task:
    """A group with one thread more: the wait is that of the one that has waited longest."""
    if group is None:
        return task
    waits = [wait for wait in (group.waiting_s, task.waiting_s) if not isinstance(wait, Missing)]
    return Task(
        kind=group.kind, count=group.count + 1, state=group.state, stack=group.stack, created_by=group.created_by,
        waiting_s=max(waits) if waits else group.waiting_s, name=group.name, own_at=group.own_at, is_busy=group.is_busy,
    )  # fmt: skip
