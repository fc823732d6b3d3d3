"""The stacks of goroutines that do not run: unwound by Go's own tables, and shown as Go prints them.

Every function says for each place in its code how far above the stack pointer its return address stands, so a stack
is walked from the program counter and the stack pointer that a goroutine was parked with. Source: runtime/traceback.go
(unwinder.next, symPC, showfuncinfo, elideWrapperCalling).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.model.profile import Frame
from memdash.probes.go.program import Program
from memdash.probes.go.symbols import Call, Code

__all__ = ["NO_STACK", "Alike", "Place", "Stack", "Stacks"]

_DEEPEST = 128
"""As many calls of a stack are looked at; Go itself prints 100 of them."""

_MOST_BYTES = 64 << 10
_MOST_HELD = 1 << 16
_MOST_SHAPES = 8
_WORD = struct.Struct("<Q")
_WORD_BYTES = 8

_INJECTED = frozenset({"runtime.sigpanic", "runtime.asyncPreempt", "runtime.debugCallV2"})
"""A signal handler put the call to these in: below them stands the very instruction, not the one after a call."""

_PANICS = frozenset({"runtime.gopanic", "runtime.sigpanic", "runtime.panicwrap"})
"""A wrapper that calls one of these is where things went wrong, and shown."""

_ALWAYS_SHOWN = frozenset({"runtime.runFinalizers", "runtime.runCleanups"})


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """One stack; there is one object for each, however many goroutines have it.

    ``frames`` are what Go prints of it, innermost first: no compiler's wrappers, nothing of the runtime's inside, all
    of it when nothing else is left.
    """

    frames: tuple[Frame, ...]


NO_STACK = Stack(())
"""That of a goroutine whose stack is not known, since it runs."""


class Place(NamedTuple):
    """Where a goroutine was parked: program counter, bytes from the stack pointer to the stack's end; and its start."""

    pc: int
    live_bytes: int
    started_at: int

    @property
    def walked_bytes(self) -> int:
        """How much of its stack, from the pointer on, is read to walk it."""
        return min(self.live_bytes, _MOST_BYTES)


class _Step(NamedTuple):
    """A physical function at one place: the calls it stands for, and how to go on."""

    calls: tuple[Call, ...]
    frame_bytes: int
    is_outermost: bool
    is_injected: bool


class _Shape:
    """Where return addresses stand on stacks that are alike, and which stacks they make.

    The addresses found there determine the whole walk: each leads to where the next one stands. So a stack that shows
    known ones is that stack, and looking it up is fifty times cheaper than walking.
    """

    def __init__(self, places: tuple[int, ...]) -> None:
        self.places = places
        self.stacks: dict[tuple[int, ...], Stack] = {}

    def find(self, words: Mapping[int, Iterable[int]], count: int) -> list[Stack | None]:
        """Which stacks so many show; ``words`` are those of all of them, by place."""
        addresses = [words[place] for place in self.places]
        if all(isinstance(those, repeat) for those in addresses):
            return [self.stacks.get(tuple([next(iter(those)) for those in addresses]))] * count
        return list(map(self.stacks.get, zip(*addresses, strict=False)))


class Alike:
    """The stacks that have been walked from one place; ``needed_bytes`` of one, from its pointer on, identify it."""

    def __init__(self) -> None:
        self.needed_bytes = 0
        self._shapes: list[_Shape] = []
        self._places: list[int] = []

    def shown(self, content: memoryview, piece_bytes: int, at: int) -> bytes:
        """What identifies the stacks in ``content``: the words where any that is known has a return address.

        Every ``piece_bytes`` a stack begins, its pointer ``at`` so many bytes from there; all three are whole words.
        The words of one place on all stacks come before those of the next.
        """
        words, step, first = content.cast("Q"), piece_bytes // _WORD_BYTES, at // _WORD_BYTES
        return b"".join([words[first + place // _WORD_BYTES :: step].tobytes() for place in self._places])

    def find(self, shown: bytes, count: int) -> list[Stack | None]:
        """Which of ``count`` stacks that show this have been walked before. 0.15 µs each when there are many."""
        words: dict[int, Iterable[int]] = {}
        for at, place in zip(range(0, len(shown), _WORD_BYTES * count), self._places, strict=True):
            those = shown[at : at + _WORD_BYTES * count]
            first = those[:_WORD_BYTES]
            words[place] = repeat(_WORD.unpack(first)[0]) if those == first * count else memoryview(those).cast("Q")
        found: list[Stack | None] = []
        for shape in self._shapes:
            these = shape.find(words, count)
            found = [one or other for one, other in zip(found, these, strict=True)] if found else these
            if None not in found:
                break
        return found

    def add(self, places: tuple[int, ...], words: tuple[int, ...], stack: Stack) -> None:
        """Remember a stack by the return addresses on it and where they stand."""
        shape = next((known for known in self._shapes if known.places == places), None)
        if shape is None:
            shape = _Shape(places)
            self._shapes = [shape, *self._shapes[: _MOST_SHAPES - 1]]
            self._places = sorted({place for known in self._shapes for place in known.places})
            self.needed_bytes = self._places[-1] + _WORD_BYTES if self._places else 0
        shape.stacks[words] = stack


class Stacks:
    """Every stack seen so far, by what leads to it."""

    def __init__(self, program: Program) -> None:
        """Raises LayoutRefused when this Go does not say what a wrapper is, and what reading memory raises."""
        self._code = Code(program)
        self._wrapper = program.constant("funcID_wrapper")
        self._parked_at: dict[int, int] = {}
        self._steps: dict[int, _Step | None] = {}
        self._by_addresses: dict[tuple[int, ...], Stack] = {}
        self._alike: dict[Place, Alike] = {}

    def alike(self, place: Place) -> Alike | None:
        """The stacks walked from there, if there are any."""
        return self._alike.get(place)

    def walk(self, place: Place, content: bytes) -> Stack:
        """Walk a stack whose words, from its pointer on, are in ``content``: some 5 µs, 50 µs for a new function.

        Raises BadRead when it does not lead to an outermost function. What is deeper than 128 calls is cut off.
        """
        for held in (self._by_addresses, self._alike, self._steps, self._parked_at):
            if len(held) >= _MOST_HELD:
                self._forget()
        addresses, places = self._walked(place.pc, content)
        stack = self._by_addresses.get(addresses)
        if stack is None:
            stack = self._by_addresses[addresses] = Stack(self._frames(addresses))
        words = tuple([_WORD.unpack_from(content, at)[0] for at in places])
        self._alike.setdefault(place, Alike()).add(tuple(places), words, stack)
        return stack

    def _forget(self) -> None:
        """Begin anew, since there is no end to what a program may do in days."""
        self._by_addresses.clear()
        self._alike.clear()
        self._steps.clear()
        self._parked_at.clear()

    def _walked(self, pc: int, content: bytes) -> tuple[tuple[int, ...], list[int]]:
        """The address of each call under way, innermost first, and where in ``content`` the return addresses stand."""
        addresses, places, at = [self._innermost(pc)], list[int](), 0
        while True:
            step = self._step_at(addresses[-1])
            if step is None or (step.frame_bytes < 0 and not step.is_outermost):
                raise BadRead(f"nothing is known of the code at {addresses[-1]:#x}")
            if step.is_outermost or len(addresses) == _DEEPEST:
                return tuple(addresses), places
            at += step.frame_bytes
            if at + _WORD_BYTES > len(content):
                if len(content) == _MOST_BYTES:
                    return tuple(addresses), places
                raise BadRead("a stack does not lead to where it began")
            (return_pc,) = _WORD.unpack_from(content, at)
            places.append(at)
            at += _WORD_BYTES
            addresses.append(return_pc if step.is_injected else return_pc - 1)

    def _innermost(self, pc: int) -> int:
        """The call that a goroutine is parked in; one that has not begun yet stands at a function's first byte."""
        address = self._parked_at.get(pc)
        if address is None:
            function = self._code.function_at(pc)
            has_begun = function is None or self._code.entry(function) != pc
            address = self._parked_at[pc] = pc - has_begun
        return address

    def _step_at(self, address: int) -> _Step | None:
        """What stands at an address; None outside of Go's code."""
        if address not in self._steps:
            try:
                self._steps[address] = self._looked_up(address)
            except BadRead:
                self._steps[address] = None
        return self._steps[address]

    def _looked_up(self, address: int) -> _Step | None:
        function = self._code.function_at(address)
        if function is None:
            return None
        calls = tuple(self._code.calls(function, address))
        is_injected = calls[-1].frame.function in _INJECTED
        return _Step(calls, self._code.frame_bytes(function, address), function.is_outermost, is_injected)

    def _frames(self, addresses: Sequence[int]) -> tuple[Frame, ...]:
        steps = [self._steps[address] for address in addresses]
        calls = [call for step in steps if step is not None for call in step.calls]
        callees = ["", *(call.frame.function for call in calls)]
        shown = [
            call.frame
            for call, callee in zip(calls, callees, strict=False)
            if (call.kind != self._wrapper or callee in _PANICS) and _is_shown(call.frame.function, bool(callee))
        ]
        return tuple(shown or [call.frame for call in calls])


def _is_shown(function: str, has_callee: bool) -> bool:
    """Whether Go prints such a function: none of C, of the runtime only what is exported, and where a panic began."""
    if not function.startswith("runtime."):
        return "." in function
    if function in _ALWAYS_SHOWN or (function == "runtime.gopanic" and has_callee):
        return True
    receiver, _, name = function.removeprefix("runtime.").rpartition(".")
    if receiver.startswith("(*") and receiver.endswith(")"):
        receiver = receiver[2:-1]
    return "A" <= name[:1] <= "Z" and (not receiver or "A" <= receiver[:1] <= "Z")
