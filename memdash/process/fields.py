"""The two formats in which the kernel lists named numbers; only the line asked for is looked at.

Taking whole files apart would cost five times as much, and they are read at every tick.
"""

from __future__ import annotations

__all__ = ["bytes_of", "number_of"]


def bytes_of(text: bytes, name: bytes) -> int:
    """``Name:   123 kB`` in status, smaps_rollup or meminfo, in bytes. Raises KeyError when there is no such line."""
    return 1024 * int(_line(text, name + b":").removesuffix(b" kB"))


def number_of(text: bytes, name: bytes) -> int:
    """``name 123`` in a cgroup's memory.stat, memory.events or memory.oom_control. Raises KeyError."""
    return int(_line(text, name + b" "))


def _line(text: bytes, head: bytes) -> bytes:
    """What follows ``head`` at the start of a line."""
    if text.startswith(head):
        start = len(head)
    else:
        before = text.find(b"\n" + head)
        if before < 0:
            raise KeyError(head)
        start = before + 1 + len(head)
    end = text.find(b"\n", start)
    return text[start : end if end >= 0 else len(text)]
