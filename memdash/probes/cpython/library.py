"""Which files are the program's own: by where Python and pip put theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from memdash.model.profile import Frame

__all__ = ["is_library", "module_part", "own_at"]

_FOLDER = re.compile(r"(?:.*/)?(?:(site-packages|dist-packages)|lib(?:64)?/python3\.\d+t?)/")
"""The innermost of these folders: of a package in Python's own, the package's."""

_OWN, _INSTALLED, _PYTHONS = range(3)


def is_library(file: str) -> bool:
    """Whether it belongs to Python or to an installed package: not the program's own code."""
    return _rank(file) != _OWN


def own_at(stack: Sequence[Frame]) -> int:
    """Number of the frame where the program itself stands, of a stack that has its innermost frame first.

    The innermost of the program's own code; without any the innermost of an installed package, else of all.
    """
    ranks = [_rank(frame.file) for frame in stack]
    return ranks.index(min(ranks)) if ranks else 0


def module_part(path: str) -> str:
    """The part of a library's path that names a module in it; empty when it is no library's."""
    folder = _FOLDER.match(path)
    return path[folder.end() :] if folder else ""


@lru_cache(maxsize=4096)
def _rank(file: str) -> int:
    if not file or file.startswith("<frozen "):
        return _PYTHONS
    folder = _FOLDER.match(file)
    if folder is None:
        return _OWN
    return _INSTALLED if folder[1] else _PYTHONS
