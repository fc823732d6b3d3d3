"""Where the code of a process is mapped, and from which files: what a profile says of its addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from memdash.errors import MemdashError
from memdash.process.elf import Elf
from memdash.process.maps import DELETED, read_maps

__all__ = ["CodePiece", "build_id", "code_pieces"]

_CODE = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) \S+ \d+ +(/.*)$", re.MULTILINE)
_GNU, _BUILD_ID = b"GNU", 3


class CodePiece(NamedTuple):
    """Executable memory from ``start`` up to ``end``, which is ``path`` from ``offset`` on. Untrusted text."""

    start: int
    end: int
    offset: int
    path: str


def code_pieces(pid: int) -> Iterator[CodePiece]:
    """All of them that have a file, in the order of their addresses. Raises AccessDenied, TargetExited."""
    for start, end, offset, raw in _CODE.findall(read_maps(pid)):
        path = raw.decode(errors="backslashreplace")
        yield CodePiece(int(start, 16), int(end, 16), int(offset, 16), path.removesuffix(DELETED))


def build_id(pid: int) -> str:
    """The build id that the linker gave the program of a process, in hexadecimal; empty when it has none to be seen."""
    try:
        with Elf(f"/proc/{pid}/exe") as elf:
            return next(
                (note.content.hex() for note in elf.notes() if (note.owner, note.kind) == (_GNU, _BUILD_ID)), ""
            )
    except MemdashError:
        return ""
