"""A heap profile: allocation sites by stack."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from memdash.model.missing import Maybe, Missing

__all__ = ["OF_GO", "Frame", "Profile", "Site", "Usage", "leaf_at", "sampling_error", "short_name", "without_folders"]

OF_GO = ("runtime.", "internal/runtime/")
"""How the names of functions of Go's own runtime begin: its allocator among them."""


class Frame(NamedTuple):
    """One function on a stack. ``line`` is 0 when unknown. Untrusted text: it comes from the target."""

    function: str
    file: str
    line: int

    def where(self, parts: int = 0) -> str:
        """``/srv/shop/cart.py:40``; of the path only the last ``parts``, unless that is 0; no line that is unknown."""
        file = "/".join(self.file.split("/")[-parts:])
        return f"{file}:{self.line}" if file and self.line else file


def without_folders(function: str) -> str:
    """``mvcc.(*store).Put`` of ``go.etcd.io/etcd/server/v3/storage/mvcc.(*store).Put``: only its package is named."""
    path = function.partition("(")[0].partition("[")[0]
    return function[path.rfind("/") + 1 :]


def short_name(function: str) -> str:
    """What a narrow line says of it: no folders of a package; of a name with dots alone its class and itself."""
    name = without_folders(function)
    if name != function or "(" in name or "[" in name:
        return name
    return ".".join([part for part in name.split(".") if part != "<locals>"][-2:])


class Usage(NamedTuple):
    """What a site holds (inuse) and has ever asked for (alloc), scaled up from the samples."""

    inuse_bytes: int
    inuse_objects: int
    alloc_bytes: int
    alloc_objects: int


def sampling_error(held_bytes: int, objects: int, rate_bytes: int) -> float:
    """The standard error of what was scaled up from one sample in every ``rate_bytes``, as a share of the figure.

    It is 1/√samples where the objects are small, and next to nothing where each is much larger than the rate. Of
    objects of several sizes it takes the mean: on the safe side, up to sizes of three times the rate. Source: Horvitz
    and Thompson (1952).
    """
    if held_bytes < 1 or rate_bytes <= 1:
        return 0.0
    objects = max(objects, 1)
    chance = -math.expm1(-held_bytes / objects / rate_bytes)
    return math.sqrt((1 - chance) / chance / objects)


def leaf_at(stack: tuple[Frame, ...]) -> int:
    """Number of the innermost frame outside Go's runtime; that of the innermost of all when it is all there is."""
    outside = (number for number, frame in enumerate(stack) if not frame.function.startswith(OF_GO))
    return next(outside, 0)


_NO_STACK = Frame("(no stack recorded)", "", 0)
_NO_PEAK = Missing("the profiler does not remember the most that was ever held")


class Site(NamedTuple):
    """One allocation stack, innermost frame first, with inlined calls expanded, and what it holds.

    Two sites may share a stack (the runtime keeps one record per stack and object size). ``pcs`` are the return
    addresses as the runtime recorded them, innermost first; ``leaf_at`` is the number of the frame that asked for the
    memory: the innermost that is not the runtime's own.
    """

    stack: tuple[Frame, ...]
    usage: Usage
    pcs: tuple[int, ...] = ()
    leaf_at: int = 0

    @property
    def leaf(self) -> Frame:
        """The line of the program that asked for the memory."""
        return self.stack[self.leaf_at] if self.stack else _NO_STACK


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Profile:
    """All allocation sites at one instant, in no particular order.

    ``sample_rate_bytes`` is the mean number of bytes between two samples (Go: MemProfileRate); 1 when every allocation
    is recorded. ``published`` counts what the runtime itself would report: complete as of the last finished GC.
    ``no_alloc`` says why the alloc figures are not known, when they are not: they are 0 then, and not to be shown.
    ``peak_bytes`` is the most that all sites together ever held. ``estimated`` says that not all of it has been read:
    then the figures are scaled up, and nothing may be compared with them.
    """

    sites: tuple[Site, ...]
    sample_rate_bytes: int
    published: bool
    no_alloc: Missing | None = None
    peak_bytes: Maybe[int] = _NO_PEAK
    estimated: bool = False

    @property
    def total(self) -> Usage:
        """The four figures summed over all sites."""
        if not self.sites:
            return Usage(0, 0, 0, 0)
        return Usage(*map(sum, zip(*(site.usage for site in self.sites), strict=True)))
