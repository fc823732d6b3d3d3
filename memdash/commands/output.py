"""What a verb writes, and where: standard output, or a file that is never overwritten by accident; stderr to tell."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

import click

from memdash.errors import UsageError
from memdash.files import is_device, written
from memdash.plain import plain

__all__ = [
    "STDOUT",
    "check_output",
    "help_written",
    "is_terminal",
    "refusals_told",
    "refuse_same",
    "require_folder",
    "tell",
    "tell_instead",
    "update",
    "write_lines",
    "writing",
]

STDOUT = "-"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether there may be a person at it; one that was closed before we began is None."""
    return stream is not None and stream.isatty()


def tell(words: str) -> None:
    """Say on stderr what somebody should know; words of the target may be among them.

    Where nobody can hear it, as on a full disk, that ends nothing of what it is about.
    """
    with suppress(OSError):
        click.echo(f"memdash: {plain(words)}", err=True)


def update(words: str = "") -> None:
    """Where stderr is a terminal, have its last line say this now; nothing takes the line away."""
    if is_terminal(sys.stderr):
        with suppress(OSError):
            click.echo(f"\r\x1b[K{plain(words)}", err=True, nl=False)


def tell_instead(words: str) -> None:
    """Tell in place of what ``update`` has written, which leaves room for more of it below."""
    update()
    tell(words)


def check_output(output: str, force: bool) -> None:
    """Refuse early, before minutes of watching, what ``writing`` would refuse at the end. Raises UsageError."""
    if output == STDOUT:
        return
    path = Path(output)
    with refusals_told(output):
        if path.is_dir():
            raise UsageError(f"{output} is a directory", "name a file in it")
        if is_device(path):
            return
        if path.exists() and not force:
            raise UsageError(f"{output} exists already", "choose another name, or overwrite it with --force")
    require_folder(path)


@contextmanager
def refusals_told(output: str) -> Iterator[None]:
    """Raise what the system says of a file that is to be written as a UsageError."""
    try:
        yield
    except BrokenPipeError:
        raise  # whoever reads has had enough, which is no error of theirs or ours
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror or error}", "choose another place") from None


def require_folder(path: Path) -> None:
    """Raise UsageError where no file can be made at ``path``."""
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path.parent} is not a directory that can be written to", "choose another place with -o")


def refuse_same(outputs: Mapping[str, str | None]) -> None:
    """Refuse two outputs, by their flags, that are one file: the later would replace the other. Raises UsageError."""
    flags: dict[Path, str] = {}
    for flag, output in outputs.items():
        if output is None or output == STDOUT or is_device(Path(output)):
            continue
        other = flags.setdefault(Path(output).resolve(), flag)
        if other != flag:
            raise UsageError(f"{other} and {flag} name the same file {output}", "give each a file of its own")


@contextmanager
def writing(output: str, force: bool) -> Iterator[BinaryIO]:
    """Open ``output`` (``-`` is standard output) for one piece of data, as ``written`` does. Raises UsageError."""
    check_output(output, force)
    with refusals_told("standard output" if output == STDOUT else output):
        try:
            with _opened(output, force) as out:
                yield out
                out.flush()
        except FileExistsError:
            raise UsageError(f"{output} exists already", "choose another name, or overwrite it with --force") from None


def write_lines(lines: Iterable[str], output: str = STDOUT, force: bool = False) -> None:
    """Write text as ``writing`` does. Raises UsageError."""
    with writing(output, force) as out:
        for line in lines:
            out.write(line.encode(errors="backslashreplace") + b"\n")


def help_written(option: click.Option | None) -> click.Option | None:
    """Have ``--help`` written like any other data: click itself says nothing where standard output is closed."""

    def show(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            write_lines([ctx.get_help()])
            ctx.exit()

    if option is not None:
        option.callback = show
    return option


@contextmanager
def _opened(output: str, force: bool) -> Iterator[BinaryIO]:
    if output != STDOUT:
        with written(Path(output), replaces=force) as out:
            yield out
    elif sys.stdout is None:
        raise UsageError("standard output is closed", "name a file with -o")
    else:
        yield sys.stdout.buffer
