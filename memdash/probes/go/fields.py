"""Some fields of a struct of the runtime, taken out of a buffer with one unpack."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping

from memdash.errors import LayoutRefused
from memdash.probes.go.program import Program

__all__ = ["Fields"]


class Fields:
    """Integer fields of one struct. ``start`` and ``size`` say which of its bytes have to be read, and no more."""

    def __init__(self, offsets: Mapping[str, int], codes: Mapping[str, str]) -> None:
        """``codes`` maps field names to format codes of module struct, such as ``Q`` and ``i``."""
        self.names = tuple(sorted(codes, key=lambda name: offsets[name]))
        self.start = offsets[self.names[0]]
        layout, at = "<", self.start
        for name in self.names:
            if offsets[name] < at:
                raise LayoutRefused(f"the runtime's field {name} overlaps the one before it")
            layout += f"{offsets[name] - at}x{codes[name]}"
            at = offsets[name] + struct.calcsize(codes[name])
        self.packed = struct.Struct(layout)
        self.size = self.packed.size

    @classmethod
    def of(cls, program: Program, struct_name: str, names: Iterable[str], **codes: str) -> Fields:
        """Fields of a runtime struct, words of 64 bits but for those in ``codes``. Raises LayoutRefused."""
        all_codes = {**dict.fromkeys(names, "Q"), **codes}
        return cls({name: program.offset(struct_name, name) for name in all_codes}, all_codes)

    def read(self, buffer: memoryview, at: int) -> dict[str, int]:
        """The values by name, from the bytes that begin at ``at`` with those of ``start``."""
        return dict(zip(self.names, self.packed.unpack_from(buffer, at), strict=True))

    def each(self, buffer: memoryview) -> Iterator[dict[str, int]]:
        """The same of many structs, of which the buffer holds the bytes in question one after the other."""
        for row in self.packed.iter_unpack(buffer):
            yield dict(zip(self.names, row, strict=True))

    def columns(self, buffer: memoryview) -> dict[str, tuple[int, ...]]:
        """All of them at once, by field: a quarter of the time. The buffer holds one at least."""
        return dict(zip(self.names, zip(*self.packed.iter_unpack(buffer), strict=True), strict=True))
