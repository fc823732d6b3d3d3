"""How much of the address space that a runtime keeps its objects in is in RAM."""

from __future__ import annotations

from collections.abc import Iterable

from memdash.errors import BadRead
from memdash.model.residence import Arenas
from memdash.process.pagemap import PageMap

__all__ = ["ArenaCounter"]

_MOST_RANGES = 1 << 16


class ArenaCounter:
    """Counts the pages of one process again and again; belongs to one thread."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._pages: PageMap | None = None

    def count(self, arenas: Iterable[tuple[int, int]]) -> Arenas:
        """``arenas`` are (start, end) addresses in any order.

        Raises BadRead, AccessDenied, TargetExited, and UnsupportedRuntime where the kernel does not tell.
        """
        if self._pages is None:  # whoever may read the memory need not be allowed this
            self._pages = PageMap(self._pid)
        ranges = _joined(arenas)
        return Arenas(ranges, *self._pages.count(ranges))

    def close(self) -> None:
        """Give the file back. May be called twice."""
        if self._pages is not None:
            self._pages.close()
            self._pages = None


def _joined(arenas: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """In ascending order, neighbours in one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(arenas):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    if len(joined) > _MOST_RANGES:
        raise BadRead(f"the heap is said to have {len(joined)} pieces")
    return tuple(joined)
