"""Directories below which nobody else can put anything, not even under the name of what has been removed.

What a search path for modules names must lie in one: processes that outlive memdash keep their environment, and in
/tmp anybody could make the directory anew, with a ``sitecustomize`` of his own.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

__all__ = ["is_private", "private_parents"]

_NOT_FOR_OTHERS = 0o022


def private_parents() -> tuple[str, ...]:
    """Those that will do, best first: ``$XDG_RUNTIME_DIR``, ``memdash`` in the user's cache; root's ``/run``."""
    return tuple(parent for parent in _made() if os.pathsep not in parent and is_private(parent))


def is_private(path: str) -> bool:
    """Whether only this user and root can change it and all directories above it, none of which is a link."""
    folder = Path(path)
    for parent in (folder, *folder.parents):
        try:
            found = parent.lstat()
        except OSError:
            return False
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {0, os.geteuid()} or found.st_mode & _NOT_FOR_OTHERS:
            return False
    return folder.is_absolute() and folder.stat().st_uid == os.geteuid()


def _made() -> Iterator[str]:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        resolved = os.path.realpath(runtime)
        with contextlib.suppress(OSError):
            if Path(resolved).stat().st_mode & 0o777 == 0o700:
                yield resolved
    from platformdirs import user_cache_path  # 8 ms, wanted once

    cache = Path(os.path.realpath(user_cache_path("memdash")))
    for folder in (*reversed(cache.parents), cache):
        try:
            folder.mkdir(0o700)
        except OSError:  # it is there, or the next one tells
            continue
    yield str(cache)
    yield "/run"  # for root alone: its home may be another user's
