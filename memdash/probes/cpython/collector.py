"""One look at the garbage collector's state, in one system call.

Source: Include/internal/pycore_gc.h and pycore_interp_structs.h (struct _gc_runtime_state), Modules/gcmodule.c
(gc_get_stats_impl, gc_get_count_impl).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from memdash.errors import BadRead
from memdash.model.gc import Generation
from memdash.model.missing import Maybe, Missing
from memdash.probes.cpython.interpreter import SHUT_DOWN, Interpreter
from memdash.probes.cpython.pauses import PauseRings, Pauses
from memdash.process.memory import ProcessMemory

__all__ = ["Collector", "CollectorState"]

_STATE = "_gc_runtime_state"
_GENERATIONS = 3
_LONGEST_SHIFT_BYTES = 64
_POINTER_FLAGS = 3
_MOST_TRIES = 8
_INT = struct.Struct("<i")
_WORD = struct.Struct("<Q")
_POINTERS = struct.Struct("<QQ")
_COUNTS = struct.Struct("<3q")

_FIRST_COUNTED = (14, 5)
_INCREMENTAL = Missing("CPython 3.14.0 to 3.14.4 collect the older objects in increments, by other counts")
_UNCOUNTED = Missing("CPython before 3.14.5 does not count the objects its collector tracks")
_UNTIMED = Missing("CPython before 3.15 does not time its collections")


@dataclass(frozen=True, slots=True)
class CollectorState:
    """What one look brought. ``debug`` holds the flags of gc.set_debug; ``pauses`` are those still remembered.

    ``is_alone`` says that there are no sub-interpreters, which have collectors of their own from 3.9 on.
    """

    enabled: bool
    debug: int
    collecting: bool
    generations: tuple[Generation, ...]
    tracked_objects: Maybe[int]
    pauses: Maybe[Pauses]
    is_alone: bool = True

    @property
    def collections(self) -> int:
        """Collections so far, of any generation."""
        return sum(generation.collections for generation in self.generations)


class Collector:
    """Looks at the collector again and again, with the plan prepared once. Some 20 µs a look."""

    def __init__(self, interpreter: Interpreter) -> None:
        """Raises LayoutRefused when the layout lacks a member, and what reading memory raises."""
        layout, version = interpreter.layout, interpreter.version
        self._interpreter = interpreter
        self._enabled_at = layout.offset(_STATE, "enabled")
        self._debug_at = layout.offset(_STATE, "debug")
        self._collecting_at = layout.offset(_STATE, "collecting")
        self._threshold_at = layout.offset("gc_generation", "threshold")
        self._count_at = layout.offset("gc_generation", "count")
        self._size = layout.size("gc_generation")
        self._generations_at = _generations_at(interpreter)
        self._stats_at, self._stats_size = layout.offset(_STATE, "generation_stats"), layout.size("gc_generation_stats")
        is_counted = (version.minor, version.micro) >= _FIRST_COUNTED
        self._heap_size_at = layout.offset(_STATE, "heap_size") if is_counted else None
        self._is_incremental = version.minor == _FIRST_COUNTED[0] and version.micro < _FIRST_COUNTED[1]
        self._names = ("young", "increment", "full") if self._is_incremental else ("0", "1", "2")
        self._rings = PauseRings(layout) if "gc_stats" in layout.structs else None
        parts = [(interpreter.main_at, 8), (interpreter.head_at, 8), (interpreter.gc, layout.size(_STATE))]
        if self._rings is not None:
            self._rings_pointer = interpreter.memory.u64(interpreter.gc + self._stats_at)
            if not self._rings_pointer:
                raise BadRead("the collector has not set up its statistics")
            parts.append((self._rings_pointer, self._rings.size))
        self._plan = interpreter.memory.plan(parts)

    def read(self) -> CollectorState:
        """Look once. Raises BadRead, also when the interpreter is gone; AccessDenied, TargetExited."""
        buffer = self._plan.read()
        main, head = _POINTERS.unpack_from(buffer)
        if main != self._interpreter.main:
            raise BadRead(SHUT_DOWN)
        state = buffer[_POINTERS.size : self._plan.offsets[3]]
        pauses: Maybe[Pauses] = _UNTIMED
        if self._rings is None:
            at = range(self._stats_at, self._stats_at + _GENERATIONS * self._stats_size, self._stats_size)
            stats = [_COUNTS.unpack_from(state, start) for start in at]
        else:
            if _WORD.unpack_from(state, self._stats_at)[0] != self._rings_pointer:
                raise BadRead("the collector keeps its statistics somewhere else by now")
            stats, pauses = self._rings.read(buffer[self._plan.offsets[3] :])
        return CollectorState(
            enabled=bool(_INT.unpack_from(state, self._enabled_at)[0]),
            debug=_INT.unpack_from(state, self._debug_at)[0],
            collecting=bool(_INT.unpack_from(state, self._collecting_at)[0]),
            generations=tuple(self._generation(number, state, *counts) for number, counts in enumerate(stats)),
            tracked_objects=_UNCOUNTED
            if self._heap_size_at is None
            else _WORD.unpack_from(state, self._heap_size_at)[0],
            pauses=pauses,
            is_alone=head == main,
        )

    def generations_close(self) -> bool:
        """Whether the object after each list's head leads back to it. Raises BadRead when one leads nowhere.

        The object may go just then, so look a few times; and while a collection runs, it holds something else there.
        """
        memory, first = self._interpreter.memory, self._interpreter.gc + self._generations_at
        for head in range(first, first + _GENERATIONS * self._size, self._size):
            if not any(_closes(memory, head) for _ in range(_MOST_TRIES)):
                return self.read().collecting
        return True

    def _generation(
        self, number: int, state: memoryview, collections: int, collected: int, uncollectable: int
    ) -> Generation:
        at = self._generations_at + number * self._size
        is_incremental = self._is_incremental and number > 0
        return Generation(
            name=self._names[number],
            collections=collections,
            collected=collected,
            uncollectable=uncollectable,
            count=_INCREMENTAL if is_incremental else _INT.unpack_from(state, at + self._count_at)[0],
            threshold=_INCREMENTAL if is_incremental else _INT.unpack_from(state, at + self._threshold_at)[0],
        )


def _generations_at(interpreter: Interpreter) -> int:
    """Where the generations begin in the collector's state: it differs between releases of one minor (3.13).

    The collector keeps a pointer to the youngest. That of 3.14.0 to 3.14.4 does not, so there the layout is believed.
    """
    layout = interpreter.layout
    pointer_at = interpreter.gc + layout.offset(_STATE, "generation0")
    pointed_at = interpreter.memory.u64(pointer_at) - interpreter.gc
    is_plausible = 0 < pointed_at < _LONGEST_SHIFT_BYTES and pointed_at % 4 == 0
    return pointed_at if is_plausible else layout.offset(_STATE, "generations")


def _closes(memory: ProcessMemory, head: int) -> bool:
    first = memory.u64(head) & ~_POINTER_FLAGS
    return memory.u64(first + 8) & ~_POINTER_FLAGS == head
