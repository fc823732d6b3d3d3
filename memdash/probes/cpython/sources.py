"""From a file and a line, all that tracemalloc knows, to a function: by the source file, as the target sees it.

A file that was changed after the program started may have moved its lines: its functions are then not named. What is
no file, or cannot be read, is named by its module alone.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from memdash.model.profile import Frame
from memdash.model.target import Target
from memdash.probes.cpython.blocks import Blocks
from memdash.probes.cpython.library import module_part
from memdash.probes.cpython.tracebacks import Place

__all__ = ["Sources"]

_LARGEST_BYTES = 1 << 20
_MOST_FILES = 4096
_DEEPEST_PACKAGE = 16
_CLOCK_SLACK_S = 1.0
_FROZEN = re.compile(r"<frozen ([\w.]+)>")
_SUFFIX = re.compile(r"\.pyw?$")
_PACKAGE = ".__init__"


class Sources:
    """Names places; a file is read once, when asked for. It may hold up its reader, never the target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._frames: dict[str, dict[Place, Frame]] = {}
        self._blocks: dict[str, Blocks | None] = {}
        self._modules: dict[str, str] = {}
        self._changed: set[str] = set()

    def learn(self, files: Collection[str]) -> Iterator[None]:
        """Read the files that have not been read yet, one at a time."""
        for file in files:
            if file not in self._blocks and len(self._blocks) < _MOST_FILES:
                self._blocks[file] = self._read(file)
                self._frames.pop(file, None)
                yield

    def frame(self, place: Place) -> Frame:
        """The place with its function, as ``shop.cart.Store.add``, once its file has been read; else its module."""
        of_file = self._frames.setdefault(place.file, {})
        frame = of_file.get(place)
        if frame is None:
            blocks = self._blocks.get(place.file)
            name = blocks.name(place.line) if blocks is not None and place.line else ""
            of_file[place] = frame = self._framed(name, place.file, place.line)
        return frame

    def called(self, frame: Frame) -> Frame:
        """A frame whose function goes by what its code says, with its module before that.

        Before 3.11 code tells the last part alone; all of it, where the file has been read.
        """
        name, blocks = frame.function, self._blocks.get(frame.file)
        if blocks is not None and frame.line:
            found = blocks.name(frame.line)
            name = found if found.rpartition(".")[2] == name else name
        return self._framed(name, frame.file, frame.line)

    def forget_unused(self, files: Collection[str]) -> None:
        """Drop the names of places in other files."""
        for file in self._frames.keys() - set(files):
            del self._frames[file]

    @property
    def changed(self) -> tuple[str, ...]:
        """Files that were changed after the program started, by their last part."""
        return tuple(sorted(file.rpartition("/")[2] for file in self._changed))

    def _path(self, file: str) -> str:
        base = "root" if file.startswith("/") else "cwd/"
        return f"/proc/{self._target.pid}/{base}{file}"

    def _read(self, file: str) -> Blocks | None:
        if file.startswith("<"):
            return None
        try:
            descriptor = os.open(self._path(file), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except (OSError, ValueError):  # a NUL, or what no file system can spell
            return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_BYTES:
                return None
            if status.st_mtime > self._target.started_at_s + _CLOCK_SLACK_S:
                self._changed.add(file)
                return None
            content = os.pread(descriptor, _LARGEST_BYTES, 0)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return Blocks(content.decode("utf-8", "replace"))

    def _framed(self, name: str, file: str, line: int) -> Frame:
        return Frame(".".join(part for part in (self._module(file), name) if part), file, line)

    def _module(self, file: str) -> str:
        """``shop.cart`` for ``/srv/shop/cart.py``, when ``/srv/shop`` is a package; empty for what is no file."""
        known = self._modules.get(file)
        if known is None:
            if len(self._modules) >= _MOST_FILES:
                self._modules.clear()
            self._modules[file] = known = self._named(file)
        return known

    def _named(self, file: str) -> str:
        if file.startswith("<"):
            frozen = _FROZEN.fullmatch(file)
            return frozen[1] if frozen else ""
        path = _SUFFIX.sub("", file)
        in_library = module_part(path)
        parts = in_library.split("/") if in_library else path.split("/")[-self._depth(path) :]
        return ".".join(parts).removesuffix(_PACKAGE)

    def _depth(self, path: str) -> int:
        """How many of its last parts make up the module's name: one, and one more for each package around it."""
        folder, depth = path.rpartition("/")[0], 1
        while folder and depth < _DEEPEST_PACKAGE:
            try:
                Path(self._path(f"{folder}/__init__.py")).stat()
            except (OSError, ValueError):
                break
            folder, depth = folder.rpartition("/")[0], depth + 1
        return depth
