"""Live objects by type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Objects", "TypeCount"]


class TypeCount(NamedTuple):
    """How many live objects of one type there are, and the bytes that they take. ``name`` is the target's word."""

    name: str
    objects: int
    held_bytes: int


@dataclass(frozen=True, slots=True)
class Objects:
    """All types that were found at one look, each once, in no particular order; what it leaves out is in its caveats.

    ``unknown_bytes`` belong to live blocks of memory whose type could not be made out.
    """

    types: tuple[TypeCount, ...]
    unknown_bytes: int = 0

    @property
    def total(self) -> TypeCount:
        """All types together."""
        return TypeCount("", sum(row.objects for row in self.types), sum(row.held_bytes for row in self.types))
