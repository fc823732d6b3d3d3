"""The two formats in which the kernel lists named numbers."""

from __future__ import annotations

import re

__all__ = ["bytes_by_name", "numbers_by_name"]

_KIB_LINE = re.compile(rb"^(\w+): +(\d+) kB$", re.MULTILINE)


def bytes_by_name(text: bytes) -> dict[bytes, int]:
    """The ``Name:   123 kB`` lines of status, smaps_rollup and meminfo, in bytes; other lines are left out."""
    return {name: 1024 * int(kib) for name, kib in _KIB_LINE.findall(text.replace(b"\t", b" "))}


def numbers_by_name(text: bytes) -> dict[bytes, int]:
    """The ``name 123`` lines of a cgroup's memory.stat, memory.events and memory.oom_control."""
    words = text.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))
