"""Which files are the program's own: by where Python and pip put theirs. And which are memdash's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from memdash.model.profile import Frame

__all__ = ["IMPORTS", "OURS", "is_library", "module_part", "own_at"]

OURS = "<memdash>"
"""What stands in the place of a file for all code of the agent; ``agent.guard`` says it in the target."""

IMPORTS = "<frozen "
"""How the files of the modules that CPython has built in begin: those that import others."""

_SCRIPT = re.compile(r"(?:.*/)?bin/[^/.]+")
"""Where pip puts the few lines that begin an installed program; nobody looks for a wait there."""

_FOLDER = re.compile(r"(?:.*/)?(?:(site-packages|dist-packages)|lib(?:64)?/python3\.\d+t?)/")
"""The innermost of these folders: of a package in Python's own, the package's."""

_OF_A_SCRIPT = "<module>"
_OWN, _INSTALLED, _PYTHONS = range(3)


def is_library(file: str) -> bool:
    """Whether it belongs to Python or to an installed package: not the program's own code."""
    return _rank(file) != _OWN


def own_at(stack: Sequence[Frame]) -> int:
    """Number of the frame where the program itself stands, of a stack that has its innermost frame first.

    The innermost of the program's own code; without any the innermost of an installed package, else of all.
    """
    ranks = [_rank_of(frame) for frame in stack]
    return ranks.index(min(ranks)) if ranks else 0


def module_part(path: str) -> str:
    """The part of a library's path that names a module in it; empty when it is no library's."""
    folder = _FOLDER.match(path)
    return path[folder.end() :] if folder else ""


def _rank_of(frame: Frame) -> int:
    """What such a script has in functions of its own may well be the program's."""
    rank = _rank(frame.file)
    return _INSTALLED if rank == _OWN and frame.function == _OF_A_SCRIPT and _SCRIPT.fullmatch(frame.file) else rank


@lru_cache(maxsize=4096)
def _rank(file: str) -> int:
    if not file or file.startswith(IMPORTS):
        return _PYTHONS
    folder = _FOLDER.match(file)
    if folder is None:
        return _OWN
    return _INSTALLED if folder[1] else _PYTHONS
