"""Where one minor of Go keeps what we read, and how to find it without a symbol table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from memdash.process.struct_type import StructType

__all__ = ["Layout", "Recipe"]


class Recipe(NamedTuple):
    """One instruction that refers to a global, relative to the instruction pointer.

    In the code of ``function`` (its full name), at byte ``offset``, stands a signed 32-bit displacement; ``opcode`` are
    the bytes just before it, and must match. The instruction ends ``tail`` bytes after ``offset``. The global is at
    end of the instruction + displacement - ``addend``.
    """

    function: str
    offset: int
    tail: int
    addend: int
    opcode: bytes


@dataclass(frozen=True, slots=True)
class Layout:
    """What holds for every patch release of one Go minor on amd64 with its default GOEXPERIMENT.

    ``go_version`` is the release it was made from. Structs, constants and globals are those of package runtime, named
    without it (``mstats``, ``_Gwaiting``, ``memstats``). ``wait_reasons`` are the constants' names by number, without
    the prefix ``waitReason``. ``size_classes`` are object sizes in bytes by size class; class 0 means large. A minor
    that lacks a struct's field has no such key. ``recipes`` is empty when the layout comes from DWARF alone.
    """

    go_version: str
    structs: Mapping[str, StructType]
    constants: Mapping[str, int]
    wait_reasons: tuple[str, ...] = ()
    size_classes: tuple[int, ...] = ()
    recipes: Mapping[str, tuple[Recipe, ...]] = field(default_factory=dict)
