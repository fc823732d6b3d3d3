"""The collections that CPython 3.15 remembers with their times: eleven young ones, and three of either older kind.

Source: Include/internal/pycore_interp_structs.h (struct gc_stats).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

from memdash.errors import BadRead
from memdash.probes.cpython.layouts import Layout

__all__ = ["PauseRings", "Pauses"]

_NS_PER_S = 1e9

Counts: TypeAlias = tuple[int, int, int]
"""Collections, objects collected, objects uncollectable."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """``ended`` maps the end of a collection to its length, both in ns, the former of CLOCK_MONOTONIC.

    ``total_ns`` adds up all collections so far, also those no longer remembered.
    """

    ended: dict[int, int]
    total_ns: int


class PauseRings:
    """Takes the rings of all three generations out of a buffer of ``size`` bytes. 60 µs when something has changed."""

    def __init__(self, layout: Layout) -> None:
        self.size = layout.size("gc_stats")
        self._record = _Record(layout)
        young_at, young_index = layout.offset("gc_stats", "young.items"), layout.offset("gc_stats", "young.index")
        old_at, old_index = layout.offset("gc_stats", "old.items"), layout.offset("gc_stats", "old.index")
        young_places, old_places = layout.constants["GC_YOUNG_STATS_SIZE"], layout.constants["GC_OLD_STATS_SIZE"]
        step = layout.constants["sizeof(gc_old_stats_buffer)"]
        self._seen = b""
        self._told: tuple[list[Counts], Pauses] = ([], Pauses({}, 0))
        self._rings = (
            (young_at, young_index, young_places),
            (old_at, old_index, old_places),
            (old_at + step, old_index + step, old_places),
        )

    def read(self, buffer: memoryview) -> tuple[list[Counts], Pauses]:
        """What each generation's newest record counts, and the pauses; the same objects until something changes.

        Raises BadRead.
        """
        if buffer != self._seen:
            self._told = self._decoded(buffer)
            self._seen = bytes(buffer)
        return self._told

    def _decoded(self, buffer: memoryview) -> tuple[list[Counts], Pauses]:
        counts, ended, total_s = [], {}, 0.0
        for start, index_at, places in self._rings:
            newest = buffer[index_at]
            if newest >= places:
                raise BadRead(f"the newest of {places} collections is said to be number {newest}")
            for place in range(places):
                began_ns, ended_ns, collections, collected, uncollectable, duration_s = self._record.unpack(
                    buffer, start + place * self._record.size
                )
                if collections and 0 < began_ns <= ended_ns:
                    ended[ended_ns] = ended_ns - began_ns
                if place == newest:
                    counts.append((collections, collected, uncollectable))
                    total_s += duration_s
        return counts, Pauses(ended, round(total_s * _NS_PER_S))


class _Record:
    """struct gc_generation_stats: the members we use, in our order."""

    def __init__(self, layout: Layout) -> None:
        at = layout.structs["gc_generation_stats"].offsets
        self.size = layout.size("gc_generation_stats")
        names = ("ts_start", "ts_stop", "collections", "collected", "uncollectable")
        self._numbers = [at[name] // 8 for name in names]
        self._duration = at["duration"] // 8
        self._words = struct.Struct(f"<{self.size // 8}q")

    def unpack(self, buffer: memoryview, at: int) -> tuple[int, int, int, int, int, float]:
        words = self._words.unpack_from(buffer, at)
        began, ended, collections, collected, uncollectable = (words[number] for number in self._numbers)
        duration: float = struct.unpack_from("<d", buffer, at + 8 * self._duration)[0]
        return began, ended, collections, collected, uncollectable, duration
