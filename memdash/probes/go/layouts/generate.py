"""Make the layout files: ``python -m memdash.probes.go.layouts.generate [--minor 1.27] [--toolchains DIR]``.

For each minor it gets a toolchain, builds the reference program in several ways, reads struct layouts from the DWARF,
references to globals from the code, and writes one file. Made twice from the same release the file is the same,
byte for byte. Needs the ``dev`` extra and a C compiler (for -race); Go 1.19 needs Debian's golang-1.19.
"""

from __future__ import annotations

import struct
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click

from memdash.errors import LayoutRefused, MemdashError
from memdash.probes.go.layouts import recipes, reference, wanted
from memdash.probes.go.layouts.files import dump
from memdash.probes.go.layouts.layout import Layout, Recipe
from memdash.probes.go.layouts.toolchains import CACHE, RELEASES, Toolchain, obtain
from memdash.process.dwarf import Dwarf
from memdash.process.elf import Elf

__all__ = ["main", "make"]


def make(toolchain: Toolchain) -> Layout:
    """The layout of a toolchain's minor. Raises MemdashError."""
    with tempfile.TemporaryDirectory() as folder:
        return _merge(toolchain, [_read(toolchain, path) for path in reference.build(toolchain, Path(folder))])


def _read(toolchain: Toolchain, path: Path) -> Layout:
    """What one build says."""
    with Elf(path) as elf:
        dwarf = Dwarf(elf)
        globals_ = elf.symbols(f"runtime.{name}" for name in wanted.SYMBOLS)
        found = recipes.find(elf, {name.removeprefix("runtime."): symbol for name, symbol in globals_.items()})
        return Layout(
            go_version=f"go{toolchain.version}",
            structs=wanted.structs(dwarf),
            constants=wanted.constants(dwarf),
            wait_reasons=wanted.wait_reasons(dwarf),
            size_classes=_size_classes(elf),
            recipes={name: tuple(recipes.pick(candidates)) for name, candidates in found.items()},
        )


def _size_classes(elf: Elf) -> tuple[int, ...]:
    for table in elf.symbols(wanted.SIZE_CLASS_TABLES).values():
        return struct.unpack(f"<{table.size // 2}H", elf.read(table.address, table.size))
    raise LayoutRefused("the reference program holds no table of size classes", "has it moved to another package?")


def _merge(toolchain: Toolchain, builds: list[Layout]) -> Layout:
    """One layout that holds for all builds: structs must agree, recipes add up."""
    plain = builds[0]
    for build in builds:
        for name, kind in plain.structs.items():
            if build.structs.get(name) != kind:
                raise LayoutRefused(f"struct {name} of Go {toolchain.version} depends on how a program is built")
    return Layout(
        go_version=plain.go_version,
        structs=plain.structs,
        constants=plain.constants,
        wait_reasons=plain.wait_reasons,
        size_classes=plain.size_classes,
        recipes={name: _unique(build.recipes.get(name, ()) for build in builds) for name in wanted.SYMBOLS},
    )


def _unique(groups: Iterable[Iterable[Recipe]]) -> tuple[Recipe, ...]:
    return tuple(dict.fromkeys(recipe for group in groups for recipe in group))


@click.command(help="Make the layout files of the Go probe; see the module's docstring.")
@click.option("--minor", "asked", multiple=True, metavar="1.27", help="Only this minor; may be repeated.")
@click.option(
    "--toolchains",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=CACHE,
    show_default=True,
    help="Where Go toolchains are kept.",
)
def main(asked: tuple[str, ...], folder: Path) -> None:
    """Write the asked files, or all; one that fails does not stop the others, and makes the exit code 1."""
    failed = False
    for minor in [_minor(text) for text in asked] or RELEASES:
        click.echo(f"Go 1.{minor}: ", err=True, nl=False)
        try:
            layout = make(obtain(minor, folder))
        except MemdashError as error:
            failed = True
            click.echo(f"{error}: {error.hint}", err=True)
            continue
        path = dump(layout, minor)
        unlocated = [name for name in wanted.SYMBOLS if not layout.recipes[name]]
        click.echo(
            f"{path.name} from {layout.go_version}: {len(layout.structs)} structs, "
            f"{sum(map(len, layout.recipes.values()))} recipes"
            + (f", none for {', '.join(unlocated)}" if unlocated else ""),
            err=True,
        )
    sys.exit(int(failed))


def _minor(text: str) -> int:
    major, _, minor = text.partition(".")
    if major != "1" or not minor.isdecimal():
        raise click.BadParameter(f"{text} is not a Go minor such as 1.27", param_hint="--minor")
    return int(minor)


if __name__ == "__main__":
    main()
