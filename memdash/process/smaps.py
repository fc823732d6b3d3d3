"""The mappings of a process with their resident pages, one after the other: /proc/PID/smaps.

The kernel walks the page tables for it, 9 ms for each GiB that is resident in small pages, a few mappings in each
system call, so that the target is never kept from mapping anything for longer than that. Source: proc_pid_smaps(5).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.process.fields import bytes_of
from memdash.process.refused import Refusals

__all__ = ["Mapping", "read_mappings", "require_readable"]

_REFUSALS = Refusals("smaps", absent="the kernel has no smaps")
_CHUNK_BYTES = 1 << 16
_HEAD = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+ *(.*)\n", re.MULTILINE)


class Mapping(NamedTuple):
    r"""Addresses from ``start`` up to ``end``; ``permissions`` are four letters as ``rw-p``; the sizes are in bytes.

    ``name`` is a path, or a word in brackets, or empty; the target's own bytes, with line ends as ``\012``.
    """

    start: int
    end: int
    permissions: bytes
    name: bytes
    rss_bytes: int = 0
    pss_bytes: int = 0
    private_bytes: int = 0
    anonymous_bytes: int = 0
    swap_bytes: int = 0


def require_readable(pid: int) -> None:
    """Raises AccessDenied, TargetExited, BadRead; UnsupportedRuntime where the kernel has no smaps."""
    os.close(_opened(pid))


def read_mappings(pid: int) -> Iterator[Mapping]:
    """All of them, in the order of their addresses, as the kernel tells them; the caller may take its time.

    Raises AccessDenied, TargetExited, BadRead; UnsupportedRuntime where the kernel has no smaps.
    """
    fd = _opened(pid)
    try:
        text = b""
        while chunk := _chunk(pid, fd):
            text += chunk
            heads = list(_HEAD.finditer(text))
            for head, following in pairwise(heads):
                yield _parsed(head, text[head.end() : following.start()])
            if heads:
                text = text[heads[-1].start() :]  # the rest of the last one may still come
            elif len(text) > _CHUNK_BYTES:
                raise BadRead("smaps holds something else")
        if (last := _HEAD.match(text)) is not None:
            yield _parsed(last, text[last.end() :])
    finally:
        os.close(fd)


def _parsed(head: re.Match[bytes], lines: bytes) -> Mapping:
    """Take one mapping apart: its first line, matched, and those after it. Raises BadRead."""
    mapping = Mapping(int(head[1], 16), int(head[2], 16), head[3], head[4])
    try:
        rss_bytes = bytes_of(lines, b"Rss")
        swap_bytes = _told(lines, b"Swap")
        if not rss_bytes and not swap_bytes:
            return mapping  # most are empty in some programs: no need to look for the rest
        return mapping._replace(
            rss_bytes=rss_bytes,
            pss_bytes=_told(lines, b"Pss"),
            private_bytes=_told(lines, b"Private_Clean") + _told(lines, b"Private_Dirty"),
            anonymous_bytes=_told(lines, b"Anonymous"),
            swap_bytes=swap_bytes,
        )
    except (KeyError, ValueError):
        raise BadRead("smaps holds something else") from None


def _told(lines: bytes, name: bytes) -> int:
    """A kernel without swap says nothing of it."""
    try:
        return bytes_of(lines, name)
    except KeyError:
        return 0


def _opened(pid: int) -> int:
    try:
        return os.open(f"/proc/{pid}/smaps", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _REFUSALS.of(pid, error) from None


def _chunk(pid: int, fd: int) -> bytes:
    try:
        return os.read(fd, _CHUNK_BYTES)
    except OSError as error:
        raise _REFUSALS.of(pid, error) from None
