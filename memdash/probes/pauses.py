"""The pauses of a collector, as Go and CPython remember them: figures of many."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from memdash.model.gc import Pause

__all__ = ["newest_first", "pauses", "percentile"]

_NS_PER_S = 1e9


def percentile(ascending: Sequence[int], percent: int) -> int:
    """The smallest value that at least ``percent`` of them do not exceed (nearest rank)."""
    rank = -(-percent * len(ascending) // 100)
    return ascending[max(rank, 1) - 1]


def newest_first(ring: tuple[int, ...], cycles: int) -> tuple[int, ...]:
    """A ring as Go's runtime keeps it, unrolled: the newest of ``cycles`` entries so far comes first."""
    if not cycles or not ring:
        return ()
    newest = (cycles - 1) % len(ring)
    oldest = ring[:newest:-1] if cycles > len(ring) else ()
    return ring[newest::-1] + oldest


@lru_cache(maxsize=2)
def pauses(ends_ns: tuple[int, ...], durations_ns: tuple[int, ...]) -> tuple[Pause, ...]:
    """As values; making 256 of them takes longer than all the rest, and most looks show those of the look before."""
    return tuple(Pause(end / _NS_PER_S, duration) for end, duration in zip(ends_ns, durations_ns, strict=True))
