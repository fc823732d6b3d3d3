"""Where one minor of CPython keeps what we read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from memdash.errors import LayoutRefused
from memdash.process.struct_type import StructType

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """What holds for the builds with a GIL of one minor on x86-64; what moves inside a minor is found in the target.

    ``version`` is the release it was made from. Structs, members and constants go by their C names; one that was
    renamed goes by its newest name, so ``threads.head`` also stands for the older ``tstate_head``. A minor that lacks
    a member has no such key.
    """

    version: str
    structs: Mapping[str, StructType]
    constants: Mapping[str, int]

    def has(self, struct: str, member: str) -> bool:
        """Whether this minor keeps such a member."""
        return struct in self.structs and member in self.structs[struct].offsets

    def offset(self, struct: str, member: str) -> int:
        """Where a member stands in its struct. Raises LayoutRefused when this minor has none of that name."""
        if not self.has(struct, member):
            raise LayoutRefused(f"CPython {self.version} has no {struct}.{member}")
        return self.structs[struct].offsets[member]

    def size(self, struct: str) -> int:
        """The size of a struct, in bytes. Raises LayoutRefused when this minor has none of that name."""
        if struct not in self.structs:
            raise LayoutRefused(f"CPython {self.version} has no {struct}")
        return self.structs[struct].size
