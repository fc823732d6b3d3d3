"""Struct layouts and constants from an executable's DWARF, without reading it all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["StructType"]


class StructType(NamedTuple):
    """A struct's size in bytes, and where each member begins, in bytes."""

    size: int
    offsets: Mapping[str, int]
