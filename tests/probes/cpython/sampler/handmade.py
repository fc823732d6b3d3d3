"""The sampler's header and tables, made by hand in this very process."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Counts", "Handmade"]

_HEADER = struct.Struct("<8sII4Q4I4Q4I7QQqQqQQQ")
_STACK = struct.Struct("<4I6Q")
_MOST = 64


@dataclass
class Counts:
    """What a stack has allocated and freed: samples, objects and bytes of each."""

    allocated: tuple[int, int, int]
    freed: tuple[int, int, int] = (0, 0, 0)


@dataclass
class Handmade:
    """Tables with room for 64 stacks and 64 places; ``write`` puts what the fields say into the header."""

    magic: bytes = b"memdashS"
    version: int = 2
    header_bytes: int = _HEADER.size
    rate_bytes: int = 65536
    started_ns: int = 1
    enabled: int = 1
    domains: int = 7
    stacks: int = 3
    frames: int = 0
    places: int = 0
    dropped: int = 0
    consumed: tuple[int, int] = (0, 0)
    armed: tuple[int, int] = (0, 0)
    cost: tuple[int, int] = (0, 0)
    moved_by: int = 0
    buffers: dict[str, ctypes.Array[ctypes.c_char]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sizes = {"header": _HEADER.size, "stacks": 64 * _MOST, "frames": 4 * 1024, "left": 16}
        self.buffers = {name: ctypes.create_string_buffer(size) for name, size in sizes.items()}
        self.left = (0, 0)
        self.write()

    def at(self, name: str) -> int:
        return ctypes.addressof(self.buffers[name])

    @property
    def left(self) -> tuple[int, int]:
        """The countdowns."""
        return struct.unpack("<qq", self.buffers["left"].raw)

    @left.setter
    def left(self, values: tuple[int, int]) -> None:
        self.buffers["left"].raw = struct.pack("<qq", *values)

    def write(self) -> None:
        at = self.at("header")
        self.buffers["header"].raw = _HEADER.pack(
            self.magic, self.version, self.header_bytes,
            at + self.moved_by, 0, self.rate_bytes, self.started_ns,
            self.enabled, self.domains, 32, 0,
            self.at("stacks"), self.at("frames"), 0, self.at("left"),
            self.stacks, self.frames, self.places, 0,
            0, 0, 0, self.dropped, 0, 0, 0,
            self.consumed[0], self.armed[0], self.consumed[1], self.armed[1], self.at("left") + 8,
            *self.cost,
        )  # fmt: skip

    def add(self, places: Sequence[int], counts: Counts) -> int:
        """One stack more, of these places, innermost first; its number."""
        number, first = self.stacks, self.frames
        struct.pack_into(f"<{len(places)}I", self.buffers["frames"], 4 * first, *places)
        self.stacks, self.frames = number + 1, first + len(places)
        self.places = max([self.places, *(place + 1 for place in places)])
        self.count(number, counts, len(places), first)
        self.write()
        return number

    def count(self, number: int, counts: Counts, depth: int = 0, first: int = 0) -> None:
        """Put counts into a stack; objects are told in parts of 256."""
        (samples, objects, size), (freed, objects_freed, size_freed) = counts.allocated, counts.freed
        if not depth:
            _, depth, first, _ = struct.unpack_from("<4I", self.buffers["stacks"], 64 * number)
        row = (1, depth, first, 0, samples, freed, 256 * objects, size, 256 * objects_freed, size_freed)
        _STACK.pack_into(self.buffers["stacks"], 64 * number, *row)
