"""Who holds the global interpreter lock, and who waits for it.

Source: Include/internal/pycore_gil.h (struct _gil_runtime_state), Python/ceval_gil.c.
"""

from __future__ import annotations

from collections.abc import Iterable

from memdash.errors import BadRead
from memdash.probes.cpython.interpreter import Interpreter
from memdash.probes.cpython.record import Record

__all__ = ["Gils"]

_GIL = "_gil_runtime_state"


class Gils:
    """The one lock of all interpreters before 3.12; from then on each interpreter may have its own."""

    def __init__(self, interpreter: Interpreter) -> None:
        """Raises LayoutRefused when the layout lacks a member."""
        layout = interpreter.layout
        self._memory = interpreter.memory
        self._state = Record((layout.offset(_GIL, "last_holder"), "Q"), (layout.offset(_GIL, "locked"), "i"))
        self._size = layout.size(_GIL)
        self._is_shared = layout.has("_PyRuntimeState", "ceval.gil")
        self._shared_at = interpreter.binary.runtime + (
            layout.offset("_PyRuntimeState", "ceval.gil") if self._is_shared else 0
        )
        self._pointer_at = 0 if self._is_shared else layout.offset("PyInterpreterState", "ceval.gil")

    def of(self, interpreters: Iterable[int]) -> frozenset[int]:
        """Where the locks of these interpreters stand. Raises BadRead."""
        if self._is_shared:
            return frozenset({self._shared_at})
        return frozenset(self._memory.u64(at + self._pointer_at) for at in interpreters) - {0}

    def look(self, gil: int) -> tuple[int, int]:
        """Which thread state held a lock last, and 1 if it holds it now, 0 if not, -1 before it has been set up.

        Raises BadRead, AccessDenied, TargetExited.
        """
        holder, locked = self._state.row(self._memory.read(*self._state.part(gil)))
        return holder, locked

    def holders(self, gils: Iterable[int]) -> frozenset[int]:
        """The thread states that hold one of these locks now. Raises AccessDenied, TargetExited."""
        found = set()
        for gil in gils:
            try:
                holder, locked = self.look(gil)
            except BadRead:
                continue  # its interpreter has just gone
            if locked == 1:
                found.add(holder)
        return frozenset(found)

    def is_within(self, address: int, gils: Iterable[int]) -> bool:
        """Whether a thread that waits for what stands at ``address`` waits for one of these locks."""
        return any(gil <= address < gil + self._size for gil in gils)
