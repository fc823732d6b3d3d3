"""Records of one size at many places of another process, 1024 in one system call, when some may be gone meanwhile."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from memdash.errors import BadRead
from memdash.process.memory import ProcessMemory

__all__ = ["Scatter"]

_AT_ONCE = 1024
"""As many places as the kernel takes at once; its call lets other threads run, so that long lists hold up nobody."""


class Scatter:
    """Reads records of ``size`` bytes again and again."""

    def __init__(self, memory: ProcessMemory, size: int) -> None:
        self.size = size
        self._plan = memory.plan([(0, size)] * _AT_ONCE)

    def read(self, addresses: array[int]) -> Iterator[tuple[array[int], memoryview]]:
        """Yield addresses with their records, piece by piece; those that are not mapped are left out.

        A record's memory is overwritten by the next piece. Raises AccessDenied, TargetExited.
        """
        for first in range(0, len(addresses), _AT_ONCE):
            yield from self._piece(addresses[first : first + _AT_ONCE])

    def _piece(self, addresses: array[int]) -> Iterator[tuple[array[int], memoryview]]:
        try:
            content = self._plan.read_at(addresses)
        except BadRead:
            half = len(addresses) // 2
            if half:
                yield from self._piece(addresses[:half])
                yield from self._piece(addresses[half:])
            return
        yield addresses, content
