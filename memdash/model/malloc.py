"""What the C library's allocator holds."""

from __future__ import annotations

from dataclasses import dataclass

from memdash.model.missing import Maybe

__all__ = ["Malloc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Malloc:
    """mallinfo2(3) of the target in bytes.

    ``in_use_bytes`` are handed out (uordblks and hblkhd together), ``mapped_bytes`` the part of them that has mappings
    of its own (hblkhd); ``free_bytes`` wait in its arenas (fordblks), of which ``trimmable_bytes`` are at the top
    (keepcost).
    """

    in_use_bytes: Maybe[int]
    mapped_bytes: Maybe[int]
    free_bytes: Maybe[int]
    trimmable_bytes: Maybe[int]
