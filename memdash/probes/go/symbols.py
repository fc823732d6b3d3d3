"""From a code address to function, file and line, each looked up once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.model.profile import Frame
from memdash.probes.go.pclntab import Function, InlinedCall
from memdash.probes.go.program import Program

__all__ = ["Call", "Code", "Symbolizer"]

_MOST_INLINED = 1 << 20
_DEEPEST_INLINED = 64


class Call(NamedTuple):
    """A function at a place in its code; ``kind`` is its abi.FuncID."""

    frame: Frame
    kind: int


class Code:
    """The functions of a program, by address in the process."""

    def __init__(self, program: Program) -> None:
        """Raises what reading memory raises."""
        self._functions = program.functions
        self._elf = program.elf
        self._text = program.module.text
        held_at = program.module.address + program.offset("moduledata", "gofunc")
        self._inline_trees = program.module.in_file(program.memory.u64(held_at))

    def function_at(self, address: int) -> Function | None:
        """The function whose code stands there; None outside of Go's code. Raises BadRead."""
        return self._functions.function_at(address - self._text)

    def name_at(self, address: int) -> str:
        """What the function there is called; empty outside of Go's code, and where its tables do not add up."""
        try:
            function = self.function_at(address)
            return "" if function is None else self._functions.name(function.name)
        except BadRead:
            return ""

    def entry(self, function: Function) -> int:
        """Where its code begins, in the process."""
        return self._text + function.entry

    def frame_bytes(self, function: Function, address: int) -> int:
        """How far its return address is above the stack pointer at ``address``; -1 when unknown. Raises BadRead."""
        return self._functions.value(function.frame_sizes, function.entry, address - self._text)

    def calls(self, function: Function, address: int) -> Iterator[Call]:
        """The calls under way at ``address``, innermost first: those inlined there, then ``function`` itself.

        Raises BadRead.
        """
        functions, offset = self._functions, address - self._text
        for _ in range(_DEEPEST_INLINED):
            inlined = self._inlined(function, offset)
            name, kind = (function.name, function.kind) if inlined is None else (inlined.name, inlined.kind)
            file = functions.value(function.files, function.entry, offset)
            line = functions.value(function.lines, function.entry, offset)
            path = functions.file(function, file) if file >= 0 else ""
            yield Call(Frame(functions.name(name), path, max(line, 0)), kind)
            if inlined is None:
                return
            offset = function.entry + inlined.parent_offset

    def _inlined(self, function: Function, offset: int) -> InlinedCall | None:
        if function.inline_tree is None:
            return None
        index = self._functions.value(function.inline_indexes, function.entry, offset)
        if not 0 <= index < _MOST_INLINED:
            return None
        size = self._functions.inlined_call_bytes
        record = self._elf.read(self._inline_trees + function.inline_tree + index * size, size)
        return self._functions.inlined_call(record)


class Symbolizer(dict[int, Frame]):
    """Frames by return address, as the runtime records them in profiles: one for each call, inlined ones included.

    So the innermost function at the call is its frame, and the callers that it was inlined into follow on the stack
    with return addresses of their own (runtime/traceback.go, tracebackPCs). Some 50 µs a new address.
    """

    def __init__(self, program: Program) -> None:
        """Raises what reading memory raises."""
        super().__init__()
        self._code = Code(program)

    def __missing__(self, return_pc: int) -> Frame:
        """Look an address up. Outside of Go's code, or where its tables do not add up, the number stands for it."""
        try:
            frame = self._look_up(return_pc - 1)  # the call, not what follows it
        except BadRead:
            frame = None
        self[return_pc] = frame = frame or Frame(f"{return_pc:#x}", "", 0)
        return frame

    def _look_up(self, address: int) -> Frame | None:
        function = self._code.function_at(address)
        return None if function is None else next(self._code.calls(function, address)).frame
