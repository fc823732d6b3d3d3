"""Is it Go, which Go, and do we know where that Go keeps things? Each no has its own reason and way out."""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import replace

from memdash.errors import BadRead, LayoutRefused, UnsupportedRuntime
from memdash.model.target import Target
from memdash.probes.go.layouts import Layout, load, minors
from memdash.probes.go.layouts.wanted import SIZE_CLASS_TABLES
from memdash.probes.go.locate import Located, by_code
from memdash.probes.go.moduledata import Module
from memdash.probes.go.pclntab import Pclntab
from memdash.probes.go.version import GoVersion, build_version, parse_version
from memdash.process.auxv import load_bias
from memdash.process.elf import X86_64, Elf
from memdash.process.memory import ProcessMemory

__all__ = ["judge", "layout_of", "read_string", "recognise", "version_by_code"]

OLDEST_MINOR = 19
_FEWEST_AGREEING_VOTES = 87
_LONGEST_STRING = 512
_SYSTEM_VIEW = "the system view still works"


def judge(target: Target) -> GoVersion | None:
    """Say cheaply which Go a target was built with; None when only opening it can tell. About 1 ms.

    Raises UnsupportedRuntime when it is not Go, or not one that we read; AccessDenied, TargetExited, BadRead.
    """
    with Elf(f"/proc/{target.pid}/exe") as elf, ProcessMemory(target.pid) as memory:
        _, version = recognise(elf)
        loaded = next((segment.address for segment in elf.segments if segment.is_loaded), 0)
        memory.read(load_bias(target.pid, elf) + loaded, 1)  # to hear now that it is not allowed
        return version


def recognise(elf: Elf) -> tuple[Pclntab, GoVersion | None]:
    """The function table of a Go program that we can read, and its version if it has build info.

    Raises UnsupportedRuntime, BadRead.
    """
    if elf.machine != X86_64:
        raise UnsupportedRuntime("only programs for x86-64 can be read from memory", _SYSTEM_VIEW)
    version = parse_version(build_version(elf))
    if version is not None:
        _require_known_layout(version, elf)
    functions = Pclntab.find(elf)
    if functions is None:
        raise UnsupportedRuntime("not a Go program")
    return functions, version


def layout_of(version: GoVersion, elf: Elf) -> Layout:
    """The layout of a version: our file, or else what the program's debug information says, in some 50 ms.

    Raises LayoutRefused, BadRead.
    """
    layout = load(version.minor)
    if layout is not None:
        return layout
    from memdash.probes.go.layouts.unknown import from_dwarf  # 3 ms, wanted by versions without a file

    layout = from_dwarf(elf, version.text)
    for table in elf.symbols(SIZE_CLASS_TABLES).values():
        return replace(layout, size_classes=struct.unpack(f"<{table.size // 2}H", elf.read(table.address, table.size)))
    raise LayoutRefused(f"{version.text}: its table of size classes was not found", _SYSTEM_VIEW)


def _require_known_layout(version: GoVersion, elf: Elf) -> None:
    if version.minor in minors():
        return
    if version.minor < OLDEST_MINOR:
        raise UnsupportedRuntime(
            f"built with {version.text}; the oldest Go that memdash reads is 1.{OLDEST_MINOR}",
            f"rebuild it with a newer Go; {_SYSTEM_VIEW}",
        )
    if not elf.sections.keys() >= {".debug_info", ".symtab"}:
        newest = minors()[-1]
        relation = f"newer than the newest that memdash knows (1.{newest})"
        raise UnsupportedRuntime(
            f"built with {version.text}, which is {relation if version.minor > newest else 'not known to memdash'}, "
            "and stripped of the debug information that would tell where it keeps things",
            f"a build without -ldflags='-s -w' can be read; {_SYSTEM_VIEW}",
        )


def version_by_code(
    elf: Elf, memory: ProcessMemory, functions: Pclntab, module: Module, names: Collection[str]
) -> GoVersion:
    """Tell the version of a program without build info: the recipes of the right minor agree, those of others do not.

    Over all builds and patch releases the right one had 90 to 103 agreeing votes, and others at most 83; 2 ms a minor.
    Raises LayoutRefused.
    """
    best, best_minor = Located({}), 0
    for minor in minors():
        layout = load(minor)
        if layout is not None:
            located = by_code(elf, functions, module, layout.recipes, names)
            if located.votes > best.votes:
                best, best_minor = located, minor
    if best.votes < _FEWEST_AGREEING_VOTES:
        raise LayoutRefused(
            "the program carries no build info, and its code is of no Go that memdash knows",
            f"a build with build info can be read; {_SYSTEM_VIEW}",
        )
    stated = _stated_version(memory, best)
    return stated if stated and stated.minor == best_minor else GoVersion(f"go1.{best_minor}", best_minor)


def _stated_version(memory: ProcessMemory, located: Located) -> GoVersion | None:
    try:
        return parse_version(read_string(memory, located.addresses["buildVersion"]))
    except (KeyError, BadRead):
        return None


def read_string(memory: ProcessMemory, address: int) -> str:
    """The short Go string whose header stands at ``address``. Raises BadRead."""
    text, size = memory.words(address, 2)
    if size > _LONGEST_STRING:
        raise BadRead("a string of the runtime is longer than it may be")
    return memory.read(text, size).decode(errors="backslashreplace")
