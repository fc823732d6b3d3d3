"""Source files that a profile names, looked for on this machine.

The names come from the profile: only regular files of text are read, and no more than 16 MiB of one. A relative path is
looked for below each folder of the search path and its parents. Source: github.com/google/pprof,
internal/report/source.go.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from memdash.config import SourcePath
from memdash.model.missing import Maybe, Missing
from memdash.pprof.taken import Files

__all__ = ["SourceFile", "SourceFinder"]

_LARGEST_BYTES = 16 << 20
_MOST_LINES = 1_000_000
_MOST_LINKS = 40
"""As the kernel follows in one path."""
_TELLING_BYTES = 8192
"""What is no text shows it in its beginning."""
_BUILT_IN = "/proc/self/cwd/"
"""What Bazel calls the folder that it builds in: for us that is another."""
_HINT = "--source-path names folders to look in, --trim-path what to cut off the front of a path"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The lines of a file, without their ends, and when it was last written (Unix time). Untrusted text."""

    lines: tuple[str, ...]
    written_s: float


class SourceFinder:
    """Lines of files by the path that the profile gives; each file is read once."""

    def __init__(self, search: Sequence[str], trim: Sequence[str] = (), root: str = "") -> None:
        """``root`` goes before absolute paths, and nothing above it is looked into: /proc/PID/root is a process's."""
        self._search = search
        self._trim = trim
        self._root = root
        self._held: dict[str, Maybe[SourceFile]] = {}

    @classmethod
    def of(cls, path: SourcePath, files: Files) -> SourceFinder:
        """One that looks where it was told to, else in the folder of the process that is read, and in our own."""
        search = path.search or tuple(folder for folder in (files.folder, str(Path.cwd())) if folder)
        return cls(search, path.trim, files.root)

    def file(self, path: str) -> Maybe[SourceFile]:
        """A file, or why it cannot be had."""
        if path not in self._held:
            self._held[path] = self._found(path)
        return self._held[path]

    def lines(self, path: str) -> Maybe[tuple[str, ...]]:
        """Its lines, or why they cannot be had."""
        found = self.file(path)
        return found if isinstance(found, Missing) else found.lines

    def _found(self, path: str) -> Maybe[SourceFile]:
        # pprof guesses at once where what follows the name of a folder that it searches may be, and so takes another
        # file of that name for one that is there. We guess only when there is none: what is found the same way is
        # printed as pprof prints it.
        if posixpath.isabs(path) and not self._trim and not path.startswith(_BUILT_IN):
            whole = _read(self._root, path, path)
            if whole is not None and not (isinstance(whole, Missing) and _is_hidden(self._root, path)):
                return whole
        shorter = self._trimmed(path)
        if posixpath.isabs(shorter):
            return _read(self._root, shorter, shorter) or Missing(
                f"open {shorter}: {os.strerror(errno.ENOENT).lower()}", _HINT
            )
        for folder in map(posixpath.abspath, self._search):
            root = self._root if self._root and _is_below(folder, self._root) else ""
            for parent in (Path(folder), *Path(folder).parents):
                found = _read(root, str(parent / shorter)[len(root) :], shorter)
                if found is not None:
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
        for prefix in (*self._trim, f"{_BUILT_IN}./", _BUILT_IN):
            whole = prefix if prefix.endswith("/") else f"{prefix}/"
            if path.startswith(whole):
                return path[len(whole) :]
        return path


def _is_below(folder: str, root: str) -> bool:
    return folder == root or folder.startswith(f"{root}/")


def _is_hidden(root: str, path: str) -> bool:
    """Whether it cannot be told if the file is there: a folder above it is closed to us."""
    try:
        os.lstat(_within(root, path))
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return False


def _read(root: str, path: str, shown: str) -> Maybe[SourceFile] | None:
    """The file, or why it cannot be read; None when there is none."""
    try:
        # A pipe must not keep us waiting.
        descriptor = os.open(_within(root, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError):
        return None
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
    if b"\0" in content[:_TELLING_BYTES]:
        return Missing(f"read {shown}: not a text", _HINT)
    if content.count(b"\n") > _MOST_LINES:
        return Missing(f"read {shown}: has more lines than any source file", _HINT)
    lines = content.decode(errors="backslashreplace").split("\n")
    if lines[-1] == "":
        lines.pop()
    return SourceFile(tuple(line.removesuffix("\r") for line in lines), held.st_mtime)


def _within(root: str, path: str) -> str:
    """``path`` as who has this ``root`` sees it: its links lead to where they would lead there. Raises OSError.

    The kernel takes an absolute link in /proc/PID/root for one of ours.
    """
    if not root:
        return path
    resolved: list[str] = []
    ahead = path.split("/")[::-1]
    links = 0
    while ahead:
        part = ahead.pop()
        if part == "..":
            resolved[-1:] = []
        elif part not in ("", "."):
            resolved.append(part)
            try:
                target = str(Path(f"{root}/{'/'.join(resolved)}").readlink())
            except OSError:  # no link; or nothing at all, which opening it will tell
                continue
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            resolved = [] if target.startswith("/") else resolved[:-1]
            ahead += target.split("/")[::-1]
    return f"{root}/{'/'.join(resolved)}"
