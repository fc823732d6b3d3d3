"""A layout for a minor that has no file, from the target's own DWARF."""

from __future__ import annotations

from memdash.probes.go.layouts import wanted
from memdash.probes.go.layouts.layout import Layout
from memdash.process.dwarf import Dwarf
from memdash.process.elf import Elf

__all__ = ["from_dwarf"]


def from_dwarf(elf: Elf, go_version: str = "") -> Layout:
    """What an unstripped program says about its own runtime: no recipes, so its symbol table has to locate the globals.

    Some 50 ms for a program of 4 MB. Raises BadRead when there is no DWARF.
    """
    dwarf = Dwarf(elf)
    return Layout(
        go_version=go_version,
        structs=wanted.structs(dwarf),
        constants=wanted.constants(dwarf),
        wait_reasons=wanted.wait_reasons(dwarf),
    )
