"""Records of one size that lie side by side: what the target's allocator put next to each other is read as one.

The kernel looks up the pages of every place that it is asked to read, which takes longer than copying a few hundred
bytes from there.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["rows"]


def rows(addresses: Sequence[int], distance: int) -> list[tuple[int, int]]:
    """The same places as (address, bytes), those together that follow each other at this distance."""
    found, start, end = [], 0, 0
    for address in addresses:
        if address != end:
            if end:
                found.append((start, end - start))
            start = address
        end = address + distance
    return [*found, (start, end - start)] if end else found
