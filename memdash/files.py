"""Files that are never half written, and never overwritten unasked."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["is_device", "is_seen", "unfinished", "written"]

_PIPE_S, _AGAIN_S = 5.0, 0.05


@contextmanager
def written(path: Path, *, replaces: bool) -> Iterator[BinaryIO]:
    """Open ``path`` for one piece of data: a file appears under its name once all is written, after an error none does.

    A file that takes the place of another may be read and written by the same people. A device or pipe has no content
    to lose and is never replaced: it is written to, a pipe if somebody reads it within a few seconds. Raises OSError;
    FileExistsError when there is such a file, or comes to be one meanwhile, and it is not to be replaced.
    """
    if is_device(path):
        with open(path, "wb", opener=_opened) as device:
            yield device
        return
    path = path.resolve()
    if not replaces and path.exists():
        raise FileExistsError(path)
    temporary = unfinished(path)
    with temporary.open("xb") as file:
        try:
            if replaces and path.exists():
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
            yield file
            file.flush()
            _publish(temporary, path, replaces=replaces)
        finally:
            temporary.unlink(missing_ok=True)


def _opened(path: str, flags: int) -> int:
    """As ``os.open``, but a pipe that nobody comes to read is an error, not the end of all."""
    until_s = time.monotonic() + _PIPE_S
    while True:
        try:
            descriptor = os.open(path, flags | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO or not Path(path).is_fifo() or time.monotonic() > until_s:
                raise
            time.sleep(_AGAIN_S)
            continue
        os.set_blocking(descriptor, True)
        return descriptor


def unfinished(path: Path) -> Path:
    """A name beside ``path`` under which it is made, so that nobody takes a part of it for the whole."""
    return path.with_name(f".memdash-{os.urandom(8).hex()}")  # secrets would load OpenSSL: 3 MiB


def is_device(path: Path) -> bool:
    """Whether something can be seen there that is neither a file nor a directory."""
    return is_seen(path) and not path.is_file() and not path.is_dir()


def is_seen(path: Path) -> bool:
    """Whether something is there that we may see: not in a folder of others, nor under a name too long for any."""
    try:
        return path.exists()
    except OSError:
        return False


def _publish(temporary: Path, path: Path, *, replaces: bool) -> None:
    """Give the file its name. A link fails when somebody took the name meanwhile; a rename would not."""
    if replaces:
        temporary.rename(path)
        return
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        temporary.rename(path)
