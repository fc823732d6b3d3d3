"""What a probe can give."""

from __future__ import annotations

from enum import Enum

__all__ = ["Capability", "Source"]


class Capability(Enum):
    """One kind of fact about a target. The value is its key under ``sources`` in the JSON document."""

    MEMSTATS = "memstats"
    GC = "gc"
    SITES = "sites"
    SYSTEM = "system"
    SMAPS = "smaps"
    MAPPINGS = "mappings"
    ARENAS = "arenas"
    TASKS = "tasks"
    OBJECTS = "objects"
    MALLOC = "malloc"
    FAMILY = "family"

    __hash__ = object.__hash__
    """Enum's own is written in Python, and these are looked up a hundred times a tick."""


class Source(Enum):
    """Where a figure comes from; shown beside it."""

    MEMORY = "memory"
    PROC = "proc"
    AGENT = "agent"
    ENDPOINT = "endpoint"
    GOPS = "gops"
