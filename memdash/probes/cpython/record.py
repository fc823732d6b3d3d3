"""Some members of a struct, taken out of a buffer in our order wherever a minor of CPython keeps them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from operator import itemgetter

from memdash.errors import LayoutRefused

__all__ = ["Record"]

_LONGEST_GAP_BYTES = 1 << 16


class Record:
    """At least two members as (offset, format of the struct module). ``start`` and ``size`` say what to read.

    Records that were read one after the other come apart at some 0.3 µs each.
    """

    def __init__(self, *members: tuple[int, str]) -> None:
        """Raises LayoutRefused when these are no places of members: where they stand may be the process's word."""
        by_place = sorted(range(len(members)), key=lambda number: members[number][0])
        self.start = members[by_place[0]][0]
        layout, end = "<", self.start
        for number in by_place:
            offset, kind = members[number]
            if not 0 <= offset - end <= _LONGEST_GAP_BYTES:
                raise LayoutRefused("it says that some of its members stand where they cannot")
            layout += f"{offset - end}x{kind}"
            end = offset + struct.calcsize(f"<{kind}")
        self._struct = struct.Struct(layout)
        self._in_order = itemgetter(*(by_place.index(number) for number in range(len(members))))
        self.size = self._struct.size

    def part(self, address: int) -> tuple[int, int]:
        """What to read of the struct at ``address``, for a plan."""
        return address + self.start, self.size

    def rows(self, buffer: bytes | memoryview) -> Iterator[tuple[int, ...]]:
        """The members of each record that the buffer holds, nothing but whole ones."""
        return map(self._in_order, self._struct.iter_unpack(buffer))

    def row(self, buffer: bytes | memoryview) -> tuple[int, ...]:
        """Those of the one record at the start of the buffer."""
        row: tuple[int, ...] = self._in_order(self._struct.unpack_from(buffer))
        return row
