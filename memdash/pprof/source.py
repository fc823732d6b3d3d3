"""Source files that a profile names, looked for on this machine.

The names come from the profile: only regular files are read, and no more than 16 MiB of one. A relative path is looked
for below each folder of the search path and its parents. Source: github.com/google/pprof, internal/report/source.go.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Sequence
from pathlib import Path

from memdash.model.missing import Maybe, Missing

__all__ = ["SourceFinder"]

_LARGEST_BYTES = 16 << 20
_HINT = "--source-path names folders to look in, --trim-path what to cut off the front of a path"


class SourceFinder:
    """Lines of files by the path that the profile gives; each file is read once."""

    def __init__(self, search: Sequence[str], trim: Sequence[str] = (), root: str = "") -> None:
        """``root`` goes before absolute paths, and nothing above it is looked into: /proc/PID/root is a process's."""
        self._search = search
        self._trim = trim
        self._root = root
        self._held: dict[str, Maybe[tuple[str, ...]]] = {}

    def lines(self, path: str) -> Maybe[tuple[str, ...]]:
        """The lines of a file, without their ends, or why they cannot be had."""
        if path not in self._held:
            self._held[path] = self._found(path)
        return self._held[path]

    def _found(self, path: str) -> Maybe[tuple[str, ...]]:
        shorter = self._trimmed(path)
        if posixpath.isabs(shorter):
            return _read(self._root + shorter, shorter)
        for folder in map(posixpath.abspath, self._search):
            for parent in (Path(folder), *Path(folder).parents):
                found = _read(str(parent / shorter), shorter)
                if not isinstance(found, Missing):
                    return found
                if str(parent) == self._root:
                    break
        return Missing(f"could not find file {shorter} on path {':'.join(self._search)}", _HINT)

    def _trimmed(self, path: str) -> str:
        """The path without what a build elsewhere put before it."""
        if not self._trim:
            for folder in self._search:
                _, found, rest = path.partition(f"/{posixpath.basename(folder.rstrip('/'))}/")
                if found:
                    return rest
        for prefix in (*self._trim, "/proc/self/cwd/./", "/proc/self/cwd/"):
            whole = prefix if prefix.endswith("/") else f"{prefix}/"
            if path.startswith(whole):
                return path[len(whole) :]
        return path


def _read(path: str, shown: str) -> Maybe[tuple[str, ...]]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not keep us waiting
    except OSError as error:
        return Missing(f"open {shown}: {(error.strerror or str(error)).lower()}", _HINT)
    except ValueError:  # a NUL in the path
        return Missing(f"open {shown!r}: not a path", _HINT)
    try:
        held = os.fstat(descriptor)
        if not stat.S_ISREG(held.st_mode):
            return Missing(f"open {shown}: not a regular file", _HINT)
        if held.st_size > _LARGEST_BYTES:
            return Missing(f"open {shown}: larger than any source file", _HINT)
        content = os.pread(descriptor, held.st_size, 0)
    except OSError as error:
        return Missing(f"read {shown}: {(error.strerror or str(error)).lower()}", _HINT)
    finally:
        os.close(descriptor)
    lines = content.decode(errors="backslashreplace").split("\n")
    if lines[-1] == "":
        lines.pop()
    return tuple(line.removesuffix("\r") for line in lines)
