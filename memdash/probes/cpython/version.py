"""Which CPython: from the number it keeps, or from the words of sys.version."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["CPythonVersion", "from_number", "from_words"]

_STAGES = {0xA: "a", 0xB: "b", 0xC: "rc"}
_WORDS = re.compile(rb"3\.(\d{1,2})\.(\d{1,2})((?:a|b|rc)\d+)?\+? \([^\0\n]{1,80}\) \n?\[[^\0]+\]")


class CPythonVersion(NamedTuple):
    """CPython 3.``minor``.``micro``; ``text`` is the whole: ``3.11.7``, ``3.15.0rc1``."""

    minor: int
    micro: int
    text: str


def from_number(value: int) -> CPythonVersion | None:
    """PY_VERSION_HEX taken apart; None when it is none of a CPython 3. Source: Include/patchlevel.h."""
    major, minor, micro, stage, serial = value >> 24, value >> 16 & 255, value >> 8 & 255, value >> 4 & 15, value & 15
    if major != 3 or (stage not in _STAGES and stage != 0xF):
        return None
    unfinished = f"{_STAGES[stage]}{serial}" if stage in _STAGES else ""
    return CPythonVersion(minor, micro, f"3.{minor}.{micro}{unfinished}")


def from_words(memory: bytes) -> CPythonVersion | None:
    """The version in the buffer of Py_GetVersion, somewhere in ``memory``: ``3.9.18 (main, …) [GCC …]``."""
    match = _WORDS.search(memory)
    if match is None:
        return None
    minor, micro, unfinished = int(match[1]), int(match[2]), (match[3] or b"").decode()
    return CPythonVersion(minor, micro, f"3.{minor}.{micro}{unfinished}")
