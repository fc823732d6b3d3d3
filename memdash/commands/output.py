"""Files that are never overwritten by accident, and never half written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from memdash.errors import UsageError

__all__ = ["STDOUT", "check_output", "writing"]

STDOUT = "-"


def check_output(output: str, force: bool) -> None:
    """Refuse early, before minutes of watching, what ``writing`` would refuse at the end. Raises UsageError."""
    if output == STDOUT:
        return
    path = Path(output)
    if path.is_dir():
        raise UsageError(f"{output} is a directory", "name a file in it")
    if _is_device(path):
        return
    if path.exists() and not force:
        raise UsageError(f"{output} exists already", "choose another name, or overwrite it with --force")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path.parent} is not a directory that can be written to", "choose another place with -o")


@contextmanager
def writing(output: str, force: bool) -> Iterator[BinaryIO]:
    """Open ``output`` (``-`` is standard output) for one piece of data.

    A file appears under its name once all is written; after an error there is none. A device or pipe has no content to
    lose and is never replaced: it is written to. Raises UsageError.
    """
    check_output(output, force)
    try:
        with _opened(output, force) as out:
            yield out
            out.flush()
    except BrokenPipeError:
        raise  # whoever reads has had enough, which is no error of theirs or ours
    except OSError as error:
        name = "standard output" if output == STDOUT else output
        raise UsageError(f"{name} cannot be written: {error.strerror or error}", "choose another place") from None


@contextmanager
def _opened(output: str, force: bool) -> Iterator[BinaryIO]:
    if output == STDOUT:
        if sys.stdout is None:
            raise UsageError("standard output is closed", "name a file with -o")
        yield sys.stdout.buffer
        return
    path = Path(output)
    if _is_device(path):
        with path.open("wb") as device:
            yield device
        return
    import tempfile  # 5 ms

    path = path.resolve()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            yield cast(BinaryIO, file)
            temporary.chmod(0o666 & ~_umask())
            _publish(temporary, path, force)
        finally:
            temporary.unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _publish(temporary: Path, path: Path, force: bool) -> None:
    """Give the file its name. A link fails when somebody took the name meanwhile; a rename would not."""
    if force:
        temporary.rename(path)
        return
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise UsageError(f"{path} exists already", "choose another name, or overwrite it with --force") from None
    except OSError:  # a file system without links
        temporary.rename(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
