"""A heap profile: allocation sites by stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Frame", "Profile", "Site", "Usage"]


class Frame(NamedTuple):
    """One function on a stack. ``line`` is 0 when unknown. Untrusted text: it comes from the target."""

    function: str
    file: str
    line: int


class Usage(NamedTuple):
    """What a site holds (inuse) and has ever asked for (alloc), scaled up from the samples."""

    inuse_bytes: int
    inuse_objects: int
    alloc_bytes: int
    alloc_objects: int


class Site(NamedTuple):
    """One allocation stack, innermost frame first, with inlined calls expanded, and what it holds.

    Two sites may share a stack (the runtime keeps one record per stack and object size). ``pcs`` are the return
    addresses as the runtime recorded them, innermost first.
    """

    stack: tuple[Frame, ...]
    usage: Usage
    pcs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """All allocation sites at one instant, in no particular order.

    ``sample_rate_bytes`` is the mean number of bytes between two samples (Go: MemProfileRate). ``published`` counts
    what the runtime itself would report: complete as of the last finished GC.
    """

    sites: tuple[Site, ...]
    sample_rate_bytes: int
    published: bool

    @property
    def total(self) -> Usage:
        """The four figures summed over all sites."""
        if not self.sites:
            return Usage(0, 0, 0, 0)
        return Usage(*map(sum, zip(*(site.usage for site in self.sites), strict=True)))
