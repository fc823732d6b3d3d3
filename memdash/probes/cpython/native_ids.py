"""Which of the kernel's threads a thread of Python is.

From 3.11 on the thread state says so; but in a process that was forked it may still say the parent's. Before that it
only has the address of the C library's own record of the thread, which holds the number somewhere.
Source: nptl/descr.h of glibc and src/internal/pthread_impl.h of musl (struct pthread: tid).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from memdash.errors import BadRead
from memdash.probes.cpython.states import ThreadState
from memdash.process.memory import ProcessMemory

__all__ = ["NativeIds"]

_SEARCHED_BYTES = (1024, 128)
"""How far the number is looked for: glibc keeps it at 720; musl's record is short, and may be the last thing mapped."""

_MOST_SEARCHED = 16


class NativeIds:
    """Finds out once where the C library keeps the number, by the numbers that there are."""

    def __init__(self, memory: ProcessMemory) -> None:
        self._memory = memory
        self._at: int | None = None

    def of(self, states: Sequence[ThreadState], ids: Mapping[int, int]) -> list[int]:
        """The number of each thread as we count, by ``ids`` from the process's own; 0 when it is not to be found.

        Raises AccessDenied, TargetExited.
        """
        found = [ids.get(state.native_id, 0) for state in states]
        unknown = [number for number, tid in enumerate(found) if not tid]
        if unknown and self._at is None:
            self._at = self._searched([states[number].ident for number in unknown[:_MOST_SEARCHED]], ids)
        if self._at is not None:
            for number in unknown:
                found[number] = ids.get(self._word(states[number].ident + self._at), 0)
        return found

    def _word(self, address: int) -> int:
        try:
            return self._memory.u32(address)
        except BadRead:
            return 0  # the thread has just ended

    def _searched(self, records: Sequence[int], ids: Collection[int]) -> int | None:
        """Where most of these records hold one of the numbers, each another one; None when less than half do."""
        places: dict[int, set[int]] = {}
        votes = Counter[int]()
        for record in records:
            for place, word in enumerate(self._start_of(record)):
                if word in ids and word not in places.setdefault(place, set()):
                    places[place].add(word)
                    votes[place] += 1
        if not votes:
            return None
        place, number = min(votes.items(), key=lambda vote: (-vote[1], vote[0]))
        return 4 * place if 2 * number >= len(records) else None

    def _start_of(self, record: int) -> array[int]:
        words = array("I")
        for size in _SEARCHED_BYTES:
            try:
                words.frombytes(self._memory.read(record, size))
                break
            except BadRead:
                continue
        return words
