"""The stacks of Python frames, read while the program runs on.

A stack is believed when one system call that reads the thread and all its frames finds them linked to each other.
Source: Include/internal/pycore_frame.h and pycore_interpframe_structs.h; before 3.11 Include/cpython/frameobject.h.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.probes.cpython.code import Place
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.record import Record
from memdash.process.memory import ReadPlan

__all__ = ["Stack", "Stacks"]

_MOST_FRAMES = 1024
"""So many frames of a stack are read, from the innermost on: all of one within Python's usual limit."""

_MOST_FRAMES_IN_ALL, _LEAST_FRAMES = 1 << 16, 64
"""Where there are many threads, fewer of each."""

_MOST_TRIES = 8
_STATE, _FRAME = "PyThreadState", "_PyInterpreterFrame"

_FIRST_OWNER_INSIDE = 3
"""Owners from here on are entries of the interpreter itself, no functions of the program."""

_TAGS = 7
_FIRST_TAGGED_MINOR = 14
_UNIT_BYTES = {10: 2}


class Stack(NamedTuple):
    """Innermost first; ``is_cut`` says that there are frames further out than these."""

    places: tuple[Place, ...]
    is_cut: bool


class _Chain(NamedTuple):
    """Where the frames of a thread were linked to be, innermost first, and so may still be.

    ``c_frame`` is the frame of C that leads to them in 3.11 and 3.12.
    """

    c_frame: int
    frames: tuple[int, ...]


class _Look(NamedTuple):
    """``linked`` frames of a chain hang together from the thread on; ``at`` is what follows, where that is not known.

    ``stack`` is None unless they are the whole stack.
    """

    chain: _Chain
    linked: tuple[int, ...]
    at: int
    stack: Stack | None = None


_NOWHERE = _Look(_Chain(0, ()), (), 0)


class Stacks:
    """Reads the stacks of the same threads again and again: a thread that sleeps is looked for where it was.

    So all that sleep come with a system call or two, and only those that run are followed frame by frame.
    """

    def __init__(self, interpreter: Interpreter) -> None:
        """Raises LayoutRefused when the layout lacks a member."""
        layout, minor = interpreter.layout, interpreter.version.minor
        self._memory = interpreter.memory
        self._previous_at = layout.offset(_FRAME, "previous")
        self._by_address = layout.has(_FRAME, "instr_ptr")
        members = [(self._previous_at, "Q"), (layout.offset(_FRAME, "f_executable"), "Q")]
        if self._by_address:
            members += [(layout.offset(_FRAME, "instr_ptr"), "Q"), (layout.offset(_FRAME, "owner"), "B")]
        else:
            members.append((layout.offset(_FRAME, "f_lasti"), "i"))
        self._frame = Record(*members)
        self._code_at = layout.offset("PyCodeObject", "co_code_adaptive") if self._by_address else 0
        self._unit_bytes = _UNIT_BYTES.get(minor, 1)
        self._pointer_mask = ~_TAGS if minor >= _FIRST_TAGGED_MINOR else ~0
        self._by_c_frame = layout.has(_STATE, "cframe")
        self._current_at = layout.offset(_STATE, "cframe" if self._by_c_frame else "current_frame")
        self._in_c_frame_at = layout.offset("_PyCFrame", "current_frame") if self._by_c_frame else 0
        self._head_bytes = 16 if self._by_c_frame else 8
        self._chains: dict[int, _Chain] = {}
        self._most_frames = _MOST_FRAMES
        self._planned: tuple[Sequence[int], Sequence[_Chain], ReadPlan] | None = None
        self._seen: dict[int, tuple[bytes, _Look]] = {}

    def read(self, threads: Sequence[int]) -> list[Stack | None]:
        """The stack of each thread state; None when it moved whenever it was read.

        Raises AccessDenied, TargetExited.
        """
        self._most_frames = min(_MOST_FRAMES, max(_MOST_FRAMES_IN_ALL // max(len(threads), 1), _LEAST_FRAMES))
        try:
            looks = self._all_at_once(threads)
        except BadRead:  # at least one is gone; which, shows when they are read one by one
            self._planned, looks = None, [_NOWHERE] * len(threads)
        self._chains = {}
        return [self._settled(thread, look) for thread, look in zip(threads, looks, strict=True)]

    def again(self, thread: int) -> Stack | None:
        """The stack of one thread, looked for anew. Raises AccessDenied, TargetExited."""
        return self._settled(thread, _NOWHERE)

    def _all_at_once(self, threads: Sequence[int]) -> list[_Look]:
        """Each thread where it was last; what reads the same as then is not taken apart again."""
        chains = [self._chains.get(thread, _NOWHERE.chain) for thread in threads]
        if self._planned is None or (threads, chains) != self._planned[:2]:
            self._planned = (threads, chains, self._plan(threads, chains))
        content, looks = self._planned[2].read(), list[_Look]()
        seen, self._seen = self._seen, {}
        end = 0
        for thread, chain in zip(threads, chains, strict=True):
            at, end = end, end + self._bytes_of(chain)
            before = seen.get(thread)
            if before is None or before[1].chain != chain or content[at:end] != before[0]:
                before = (bytes(content[at:end]), self._look(content[at:end], chain))
            self._seen[thread] = before
            looks.append(before[1])
        return looks

    def _settled(self, thread: int, look: _Look) -> Stack | None:
        """Look until all hangs together, each time where the look before led to."""
        for _ in range(_MOST_TRIES):
            if look.stack is not None:
                self._chains[thread] = look.chain
                return look.stack
            try:
                chain = self._followed(look)
                look = self._look(self._plan([thread], [chain]).read(), chain)
            except BadRead:
                look = _NOWHERE
        return None

    def _plan(self, threads: Sequence[int], chains: Sequence[_Chain]) -> ReadPlan:
        parts: list[tuple[int, int]] = []
        for thread, chain in zip(threads, chains, strict=True):
            parts.append((thread + self._current_at, 8))
            if self._by_c_frame:
                parts.append((chain.c_frame + self._in_c_frame_at if chain.c_frame else thread, 8))
            parts += [self._frame.part(frame) for frame in chain.frames]
        return self._memory.plan(parts)

    def _bytes_of(self, chain: _Chain) -> int:
        return self._head_bytes + self._frame.size * len(chain.frames)

    def _look(self, content: memoryview, chain: _Chain) -> _Look:
        head = content[: self._head_bytes].cast("Q")
        if self._by_c_frame and (head[0] != chain.c_frame or not head[0]):
            return _Look(_Chain(head[0], chain.frames), (), chain.frames[0] if chain.frames else 0)
        return self._linked(head[-1], chain, list(self._frame.rows(content[self._head_bytes :])))

    def _linked(self, first: int, chain: _Chain, rows: Sequence[tuple[int, ...]]) -> _Look:
        """Follow the links from ``first`` on, as far as they stay among the frames that were read together."""
        number_of = {frame: number for number, frame in enumerate(chain.frames)}
        passed: list[int] = []
        at, last = first, -1
        while at and (number := number_of.get(at, -1)) > last:
            passed.append(number)
            at, last = rows[number][0], number
        linked = tuple(chain.frames[number] for number in passed)
        if at and len(linked) < self._most_frames:
            return _Look(chain, linked, at)
        places = tuple(self._places([rows[number] for number in passed]))
        return _Look(_Chain(chain.c_frame, linked), linked, 0, Stack(places, is_cut=bool(at)))

    def _followed(self, look: _Look) -> _Chain:
        """The chain as it probably is: what was linked, then frame by frame until known ones are met again."""
        frames, at = list(look.linked), look.at
        known, linked = look.chain.frames, frozenset(look.linked)
        rest = {frame: number for number, frame in enumerate(known) if frame not in linked}
        while at and len(frames) < self._most_frames:
            if at in rest:
                frames += known[rest[at] :]
                break
            frames.append(at)
            at = self._memory.u64(at + self._previous_at)
        return _Chain(look.chain.c_frame, tuple(frames[: self._most_frames]))

    def _places(self, rows: Sequence[tuple[int, ...]]) -> Iterator[Place]:
        if not self._by_address:
            for _, code, instruction in rows:
                yield Place(code, instruction * self._unit_bytes)
            return
        for _, executable, instruction, owner in rows:
            if owner < _FIRST_OWNER_INSIDE:
                code = executable & self._pointer_mask
                yield Place(code, instruction - code - self._code_at)
