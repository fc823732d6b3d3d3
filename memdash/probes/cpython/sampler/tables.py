"""What the sampler wrote, read from outside while it writes on: nobody is stopped, and nothing is believed unseen.

Stacks, their frames and the places in these are only ever added, and counted once they are whole; the counters of a
stack change all the time, each in one write. A sampling that ended took all of it away: another begins at another time.
"""

from __future__ import annotations

import struct
from array import array
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.process.memory import ProcessMemory, ReadPlan

__all__ = ["Header", "Look", "Tables"]

_MAGIC, _VERSION = b"memdashS", 2
_HEADER = struct.Struct("<8sII4Q4I4Q4I7QQqQqQQQ")
_STACK_BYTES, _PLACE_BYTES, _FRAME_BYTES = 64, 16, 4
_SIGNED = struct.Struct("<q")
_NOT_ARMED = (1 << 62) - 1
"""A countdown that is not under way is as large as can be."""

_MOST_STACKS, _MOST_FRAMES, _MOST_PLACES, _DEEPEST = 1 << 15, 1 << 20, 1 << 17, 64


class Header(NamedTuple):
    """``header`` in sampler.c: addresses, how much of each table is there, and what was counted.

    ``consumed`` are the bytes asked for up to the last sample, ``armed`` those from there to the next; RAW, which is
    asked for without the GIL, apart. ``call_ps`` is what a hook adds to a call, ``slow_ns`` what the samples and their
    frees have taken: both are measured in the target.
    """

    magic: bytes
    version: int
    size: int
    self_at: int
    pid: int
    rate_bytes: int
    started_ns: int
    enabled: int
    domains: int
    depth: int
    pad: int
    stacks_at: int
    frames_at: int
    places_at: int
    countdown_at: int
    stacks: int
    frames: int
    places: int
    live: int
    samples: int
    unattributed: int
    of_others: int
    dropped_live: int
    dropped_stacks: int
    dropped_places: int
    stale: int
    consumed: int
    armed: int
    consumed_raw: int
    armed_raw: int
    countdown_raw_at: int
    call_ps: int
    slow_ns: int

    @property
    def dropped(self) -> int:
        """Samples that one of the tables had no room for."""
        return self.dropped_live + self.dropped_stacks + self.dropped_places


class Look(NamedTuple):
    """The tables at one moment; ``asked_bytes`` is all that was asked for since the sampling began."""

    header: Header
    asked_bytes: int


class Tables:
    """Reads one sampler again and again: only what is new, and all counters. Belongs to the thread that reads.

    ``stacks`` has the numbers of the places of each stack, innermost first. Everything raises BadRead for what makes
    no sense, AccessDenied, TargetExited.
    """

    def __init__(self, memory: ProcessMemory, header_at: int) -> None:
        self._memory = memory
        self.header_at = header_at
        self._plan: ReadPlan | None = None
        self._counters: ReadPlan | None = None
        self._frames: array[int] = array("I")
        self.stacks: list[array[int]] = []
        self.begun_ns = 0

    def look(self) -> Look:
        """The header alone: 10 µs. What was read of a sampling before this one is forgotten."""
        if self._plan is None:
            header = _header(memoryview(self._memory.read(self.header_at, _HEADER.size)), self.header_at)
            parts = [(self.header_at, _HEADER.size), (header.countdown_at, 8), (header.countdown_raw_at, 8)]
            self._plan = self._memory.plan(parts)
        content = self._plan.read()
        header = _header(content, self.header_at)
        if header.started_ns != self.begun_ns:
            self.begun_ns = header.started_ns
            self._frames, self.stacks = array("I"), []
        left, left_raw = (_SIGNED.unpack_from(content, at)[0] for at in self._plan.offsets[1:3])
        asked = _asked(header.consumed, header.armed, left) + _asked(header.consumed_raw, header.armed_raw, left_raw)
        return Look(header, asked)

    def counters(self, header: Header) -> memoryview:
        """64 bytes a stack: (hash, frames, first, pad, allocations, frees, objects, bytes, objects freed, bytes freed).

        Of as many stacks as ``stacks`` has by now. 2 ms for 24 000 of them. The next call overwrites it.
        """
        self._take_frames(header)
        size = _STACK_BYTES * header.stacks
        if self._counters is None or self._counters.offsets[-1] != size:
            self._counters = self._memory.plan([(header.stacks_at, size)])
        rows = self._counters.read()
        self._take_stacks(rows, header)
        return rows[: _STACK_BYTES * len(self.stacks)]

    def _take_frames(self, header: Header) -> None:
        known = len(self._frames)
        if header.frames > known:
            at, size = header.frames_at + _FRAME_BYTES * known, _FRAME_BYTES * (header.frames - known)
            self._frames.frombytes(self._memory.read(at, size))

    def _take_stacks(self, rows: memoryview, header: Header) -> None:
        """Those that are new; one whose frames or places were counted after the header was read waits."""
        words = rows.cast("I")
        for number in range(len(self.stacks), header.stacks):
            depth, first = words[16 * number + 1], words[16 * number + 2]
            if depth > _DEEPEST:
                raise BadRead("a stack of the sampler is deeper than it may be")
            if first + depth > len(self._frames):
                return
            places = self._frames[first : first + depth]
            if any(place >= header.places for place in places):
                return
            self.stacks.append(places)


def _header(content: memoryview, at: int) -> Header:
    header = Header._make(_HEADER.unpack_from(content))
    if header.magic != _MAGIC or header.version != _VERSION or header.size < _HEADER.size or header.self_at != at:
        raise BadRead("what the agent says to be the sampler's header is none")
    if header.stacks > _MOST_STACKS or header.frames > _MOST_FRAMES or header.places > _MOST_PLACES:
        raise BadRead("the sampler's tables are larger than they may be")
    return header


def _asked(consumed: int, armed: int, left: int) -> int:
    """Up to the last sample, and since; ``left`` may be of a moment later or earlier than the others."""
    return consumed + (max(armed - left, 0) if left < _NOT_ARMED else 0)
