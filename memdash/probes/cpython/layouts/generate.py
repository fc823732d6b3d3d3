"""Make the layout files: ``python -m memdash.probes.cpython.layouts.generate [--minor 3.13] [--headers DIR]``.

A C program that prints offsets is compiled against the headers of each CPython at hand and run. Made twice from the
same release the file is the same, byte for byte. Needs a C compiler and the interpreters' own headers: pyenv installs
them, Debian's packages are called libpython3.N-dev, and ``.ci/pythons`` brings the newest ones.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from memdash.errors import MemdashError
from memdash.probes.cpython.layouts.files import dump
from memdash.probes.cpython.layouts.headers import Headers, at_hand, in_folder, measure

__all__ = ["main"]


@click.command(help="Make the layout files of the CPython probe; see the module's docstring.")
@click.option("--minor", "asked", multiple=True, metavar="3.13", help="Only this minor; may be repeated.")
@click.option(
    "--headers",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder that holds Python.h, for a CPython that is not installed; may be repeated.",
)
def main(asked: tuple[str, ...], folders: tuple[Path, ...]) -> None:
    """Write the files of the CPythons at hand; one that fails does not stop the others, and makes the exit code 1."""
    found = at_hand() | {headers.minor: headers for headers in map(_in_folder, folders)}
    wanted = [_minor(text) for text in asked] or sorted(found)
    failed = False
    for minor in wanted:
        click.echo(f"CPython 3.{minor}: ", err=True, nl=False)
        if minor not in found:
            failed = True
            click.echo("its headers are not at hand: install it, or name their folder by --headers", err=True)
            continue
        try:
            layout = measure(found[minor])
        except MemdashError as error:
            failed = True
            click.echo(f"{error}: {error.hint}", err=True)
            continue
        path = dump(layout, minor)
        click.echo(f"{path.name} from {layout.version}: {len(layout.structs)} structs", err=True)
    sys.exit(int(failed))


def _in_folder(folder: Path) -> Headers:
    headers = in_folder(folder)
    if headers is None:
        raise click.BadParameter(f"{folder} holds no headers of CPython with its internal ones", param_hint="--headers")
    return headers


def _minor(text: str) -> int:
    major, _, minor = text.partition(".")
    if major != "3" or not minor.isdecimal():
        raise click.BadParameter(f"{text} is not a CPython minor such as 3.13", param_hint="--minor")
    return int(minor)


if __name__ == "__main__":
    main()
