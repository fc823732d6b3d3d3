"""Which Go built a program: what its build info says, and how that reads.

Source: debug/buildinfo, runtime/debug.ReadBuildInfo. The build info may be absent: some tools strip it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from memdash.errors import BadRead
from memdash.process.elf import Elf

__all__ = ["GoVersion", "build_version", "parse_version"]

_MAGIC = b"\xff Go buildinf:"
_ALIGNMENT = 16
_STRINGS_INLINE = 2
_STRINGS_AT = 32
_LONGEST_VERSION = 512
_VERSION = re.compile(r"\bgo1\.(\d{1,3})(?!\d)(?:\.\d+)?(?:rc\d+|beta\d+)?(?: or older)?")
_EXPERIMENTS = re.compile(r"\bX:([\w,]+)")


class GoVersion(NamedTuple):
    """``text`` is short: ``go1.26.3``; ``minor`` is 26. ``experiments`` holds each GOEXPERIMENT not at its default."""

    text: str
    minor: int
    experiments: tuple[str, ...] = ()


def parse_version(text: str) -> GoVersion | None:
    """Read what runtime.Version says; None when it names no release of Go 1.

    Seen: ``go1.23.3``, ``go1.25.5 X:greenteagc``, ``go1.26.6-X:nogreenteagc``, ``devel go1.28-f7ad7d1``, and vendors'
    ``go1.25-20250209-RC00 cl/724970549 +ff27d270c9 X:fieldtrack,boringcrypto``.
    """
    release = _VERSION.search(text)
    if release is None:
        return None
    experiments = _EXPERIMENTS.search(text)
    return GoVersion(release[0], int(release[1]), tuple(experiments[1].split(",")) if experiments else ())


def build_version(elf: Elf) -> str:
    """The version text of the executable's build info; empty when it has none. Raises BadRead.

    Before Go 1.18 the build info held a pointer instead of the text; where that cannot be followed, as in a PIE, this
    says ``go1.17 or older``.
    """
    for address in _build_infos(elf):
        head = elf.read(address, _STRINGS_AT)
        if not head[15] & _STRINGS_INLINE:
            return _pointed_at(elf, head) or "go1.17 or older"
        content = elf.tail(address)
        size, at = _uvarint(content, _STRINGS_AT)
        if not 0 < size <= _LONGEST_VERSION or at + size > len(content):
            raise BadRead("the executable's build info makes no sense")
        return bytes(content[at : at + size]).decode(errors="backslashreplace")
    return ""


def _pointed_at(elf: Elf, head: bytes) -> str:
    try:
        text, size = struct.unpack("<QQ", elf.read(int.from_bytes(head[16:24], "little"), 16))
        return elf.read(text, min(size, _LONGEST_VERSION)).decode(errors="backslashreplace")
    except BadRead:
        return ""


def _build_infos(elf: Elf) -> Iterator[int]:
    section = elf.sections.get(".go.buildinfo")
    if section is not None:
        if elf.read(section.address, len(_MAGIC)) == _MAGIC:
            yield section.address
        return
    for segment in elf.segments:
        if segment.is_loaded and segment.is_writable:
            yield from (found for found in elf.search(_MAGIC, segment) if found % _ALIGNMENT == 0)


def _uvarint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for i, byte in enumerate(content[at : at + 5]):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, at + i + 1
    return 0, at
