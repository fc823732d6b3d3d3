"""Removing a place: at its end, or later when memdash was killed before that.

The target may own the place, and may have mounted or linked what it likes into it: so only names that memdash and the
interpreters give are removed, by descriptors, and never a whole tree.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import time
from collections.abc import Iterable
from contextlib import ExitStack

__all__ = [
    "CAME",
    "CUSTOMIZE",
    "FAILURE",
    "LIBRARY",
    "REST",
    "SCRIPT",
    "SOCKET",
    "names_in",
    "opened",
    "remove",
    "sweep",
]

SOCKET = "agent.socket"
SCRIPT = "agent"
REST = "rest"
FAILURE = "why"
"""Written in the target, by guard.py."""

CUSTOMIZE = "sitecustomize.py"
CAME = "came"
"""Is there once an agent that was called has come, so that its target will not look for the script any more."""

LIBRARY = "sampler-"
"""How the names of the files begin that a target loads to sample its allocations."""

_COMPILED = "__pycache__"
_NAMES = (SOCKET, SCRIPT, REST, FAILURE, CUSTOMIZE, "sitecustomize.pyc", "sitecustomize.pyo", CAME)
_PATTERN = re.compile("memdash-[0-9a-f]{12}")
_AGE_S = 60.0
"""What is younger may be about to be listened to."""
_MOST_SWEPT = 100


def opened(name: str, parent: int) -> int:
    """A directory in another, no link. Raises OSError."""
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def names_in(directory: int) -> list[str]:
    """What an open directory holds. Raises OSError."""
    with os.scandir(directory) as entries:
        return [entry.name for entry in entries]


def remove(name: str, parent: int, directory: int) -> None:
    """Remove the place ``name``, open as ``directory``, from ``parent``; what cannot be removed stays."""
    libraries: list[str] = []
    with contextlib.suppress(OSError):
        libraries = [entry for entry in names_in(directory) if entry.startswith(LIBRARY)]
    for entry in (*_NAMES, *libraries):
        with contextlib.suppress(OSError):
            os.unlink(entry, dir_fd=directory)
    with contextlib.suppress(OSError):
        compiled = opened(_COMPILED, directory)
        try:
            for entry in names_in(compiled):
                if entry.startswith("sitecustomize."):
                    os.unlink(entry, dir_fd=compiled)
        finally:
            os.close(compiled)
        os.rmdir(_COMPILED, dir_fd=directory)
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=parent)


def sweep(parents: Iterable[str], *, private: bool) -> None:
    """Remove what earlier runs of this user left in ``parents`` when they were killed. Raises nothing.

    Where others can write, a place whose script a target may still be about to run is kept: another user could put one
    of his own there.
    """
    for parent in parents:
        with contextlib.suppress(OSError), ExitStack() as closing:
            held = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            closing.callback(os.close, held)
            for name in [name for name in names_in(held) if _PATTERN.fullmatch(name)][:_MOST_SWEPT]:
                with contextlib.suppress(OSError):
                    _sweep_one(name, held, private)


def _sweep_one(name: str, parent: int, private: bool) -> None:
    directory = opened(name, parent)
    try:
        found = os.fstat(directory)
        is_ours = found.st_uid == os.geteuid() and found.st_mode & 0o777 == 0o700
        if not is_ours or abs(time.time() - found.st_mtime) < _AGE_S or _is_listened_to(directory):
            return
        names = names_in(directory)
        if private or SCRIPT not in names or CAME in names:
            remove(name, parent, directory)
    finally:
        os.close(directory)


def _is_listened_to(directory: int) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as caller:
        try:
            caller.connect(f"/proc/self/fd/{directory}/{SOCKET}")
        except BlockingIOError:  # many wait to be accepted
            return True
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        return True
