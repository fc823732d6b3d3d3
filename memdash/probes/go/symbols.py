"""From a return address on a stack to function, file and line, each looked up once."""

from __future__ import annotations

from memdash.errors import BadRead
from memdash.model.profile import Frame
from memdash.probes.go.pclntab import Function
from memdash.probes.go.program import Program

__all__ = ["Symbolizer", "leaf_at"]

_ALLOCATOR = ("runtime.", "internal/runtime/")

_MOST_INLINED = 1 << 20


def leaf_at(stack: tuple[Frame, ...]) -> int:
    """Number of the innermost frame outside Go's runtime; that of the innermost of all when it is all there is."""
    outside = (number for number, frame in enumerate(stack) if not frame.function.startswith(_ALLOCATOR))
    return next(outside, 0)


class Symbolizer(dict[int, Frame]):
    """Frames by return address, as the runtime records them in profiles: one for each call, inlined ones included.

    So the innermost function at the call is its frame, and the callers that it was inlined into follow on the stack
    with return addresses of their own (runtime/traceback.go, tracebackPCs). Some 50 µs a new address.
    """

    def __init__(self, program: Program) -> None:
        """Raises what reading memory raises."""
        super().__init__()
        self._functions = program.functions
        self._elf = program.elf
        self._text = program.module.text
        held_at = program.module.address + program.offset("moduledata", "gofunc")
        self._inline_trees = program.module.in_file(program.memory.u64(held_at))

    def __missing__(self, return_pc: int) -> Frame:
        """Look an address up. Outside of Go's code, or where its tables do not add up, the number stands for it."""
        try:
            frame = self._look_up(return_pc)
        except BadRead:
            frame = None
        self[return_pc] = frame = frame or Frame(f"{return_pc:#x}", "", 0)
        return frame

    def _look_up(self, return_pc: int) -> Frame | None:
        offset = return_pc - 1 - self._text  # the call, not what follows it
        function = self._functions.function_at(offset)
        if function is None:
            return None
        name = self._innermost_name(function, offset)
        file = self._functions.value(function.files, function.entry, offset)
        line = self._functions.value(function.lines, function.entry, offset)
        return Frame(
            self._functions.name(name), self._functions.file(function, file) if file >= 0 else "", max(line, 0)
        )

    def _innermost_name(self, function: Function, offset: int) -> int:
        if function.inline_tree is not None:
            index = self._functions.value(function.inline_indexes, function.entry, offset)
            if 0 <= index < _MOST_INLINED:
                size = self._functions.inlined_call_bytes
                record = self._elf.read(self._inline_trees + function.inline_tree + index * size, size)
                return self._functions.inlined_call(record).name
        return function.name
