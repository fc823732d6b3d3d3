"""The stacks of Python frames, read while the program runs on.

A stack is believed when one system call finds the thread and its frames linked to each other, and reads each frame
twice, around all those further in, and finds it the same; or when all of it reads as it did at the last reading.
Source: Include/internal/pycore_frame.h and pycore_interpframe_structs.h; before 3.11 Include/cpython/frameobject.h.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from operator import itemgetter
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

    ``stack`` is None unless they are the whole stack and stayed so; ``outer`` is what at least stayed.
    """

    chain: _Chain
    linked: tuple[int, ...]
    at: int
    stack: Stack | None = None
    outer: Stack | None = None


_NOWHERE = _Chain(0, ())


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
        self._seen: dict[int, tuple[bytes, Stack]] = {}

    def read(self, threads: Sequence[int]) -> list[Stack | None]:
        """The stack of each thread state; None when it moved whenever it was read.

        One that moves all the time may lack frames further in, which came and went. Raises AccessDenied, TargetExited.
        """
        self._most_frames = min(_MOST_FRAMES, max(_MOST_FRAMES_IN_ALL // max(len(threads), 1), _LEAST_FRAMES))
        stayed = self._stayed(threads)
        chains, self._chains = self._chains, {}
        seen, self._seen = self._seen, {}
        stacks: list[Stack | None] = []
        for thread in threads:
            if thread in stayed:
                self._chains[thread], self._seen[thread] = chains[thread], seen[thread]
                stacks.append(seen[thread][1])
            else:
                stacks.append(self._settled(thread, chains.get(thread, _NOWHERE)))
        return stacks

    def again(self, thread: int) -> Stack | None:
        """The stack of one thread, looked for anew. Raises AccessDenied, TargetExited."""
        return self._settled(thread, _NOWHERE)

    def _stayed(self, threads: Sequence[int]) -> frozenset[int]:
        """The threads that read as they did before: they sleep. All of them in a system call or two."""
        known = [thread for thread in threads if thread in self._seen]
        chains = [self._chains[thread] for thread in known]
        if self._planned is None or (known, chains) != self._planned[:2]:
            parts = [part for pair in zip(known, chains, strict=True) for part in self._parts(*pair)]
            self._planned = (known, chains, self._memory.plan(parts))
        try:
            content = self._planned[2].read()
        except BadRead:  # at least one is gone; which, shows when they are read one by one
            self._planned = None
            return frozenset(thread for thread, chain in zip(known, chains, strict=True) if self._stays(thread, chain))
        stayed, end = [], 0
        for thread, chain in zip(known, chains, strict=True):
            at, end = end, end + self._head_bytes + self._frame.size * len(chain.frames)
            if content[at:end] == self._seen[thread][0]:
                stayed.append(thread)
        return frozenset(stayed)

    def _stays(self, thread: int, chain: _Chain) -> bool:
        try:
            return self._memory.plan(self._parts(thread, chain)).read() == self._seen[thread][0]
        except BadRead:
            return False

    def _settled(self, thread: int, chain: _Chain) -> Stack | None:
        """Look until all hangs together, each time where the look before led to."""
        outer = None
        for _ in range(_MOST_TRIES):
            try:
                look, content = self._look(thread, chain)
                if look.stack is not None:
                    if content:
                        self._chains[thread], self._seen[thread] = look.chain, (content, look.stack)
                    return look.stack
                outer = look.outer or outer
                chain = self._followed(look)
            except BadRead:
                chain = _NOWHERE
        return outer

    def _parts(self, thread: int, chain: _Chain) -> list[tuple[int, int]]:
        head = [(thread + self._current_at, 8)]
        if self._by_c_frame:
            head.append((chain.c_frame + self._in_c_frame_at if chain.c_frame else thread, 8))
        return head + [self._frame.part(frame) for frame in chain.frames]

    def _look(self, thread: int, chain: _Chain) -> tuple[_Look, bytes]:
        """Look once; also what was read, if all of it is the stack: the thread, and then its frames."""
        outwards = [self._frame.part(frame) for frame in chain.frames]
        content = self._memory.plan([*outwards[::-1], *self._parts(thread, chain)]).read()
        head_at = self._frame.size * len(outwards)
        head = content[head_at : head_at + self._head_bytes].cast("Q")
        if self._by_c_frame and (head[0] != chain.c_frame or not head[0]):
            return _Look(_Chain(head[0], chain.frames), (), chain.frames[0] if chain.frames else 0), b""
        before = list(self._frame.rows(content[:head_at]))[::-1]
        look = self._linked(head[-1], chain, before, list(self._frame.rows(content[head_at + self._head_bytes :])))
        return look, bytes(content[head_at:]) if look.linked == chain.frames else b""

    def _linked(
        self, first: int, chain: _Chain, before: Sequence[tuple[int, ...]], rows: Sequence[tuple[int, ...]]
    ) -> _Look:
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
        # The innermost may go on in its code; those it was called from stand still, or it is not the same call.
        told = [2 if number == passed[0] else len(rows[number]) for number in passed]
        same = [rows[number][:n] == before[number][:n] for number, n in zip(passed, told, strict=True)]
        stayed = [number for number, _ in takewhile(itemgetter(1), zip(passed[::-1], same[::-1], strict=True))][::-1]
        stack = Stack(tuple(self._places([rows[number] for number in stayed])), is_cut=bool(at))
        whole = _Chain(chain.c_frame, linked)
        if len(stayed) == len(passed):
            return _Look(whole, linked, 0, stack)
        return _Look(whole, linked, 0, outer=stack if stayed else None)

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
