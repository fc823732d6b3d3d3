"""Records of one size that lie side by side: what the target's allocator put next to each other is read as one.

The kernel looks up the pages of every place that it is asked to read, which takes longer than copying a few hundred
bytes from there.
"""

from __future__ import annotations

from array import array
from itertools import compress, pairwise

from memdash.process.lanes import differences

__all__ = ["rows"]


def rows(addresses: array[int], distance: int) -> list[tuple[int, int]]:
    """The same places as (address, bytes), those together that follow each other at this distance."""
    count, places = len(addresses), memoryview(addresses)
    gaps = differences(places[1:], places[:-1])
    ends = [0, *compress(range(1, count), map(distance.__ne__, gaps)), count]
    return [(addresses[first], distance * (last - first)) for first, last in pairwise(ends) if last > first]
