"""What is known of a struct in another process. Apart from ``dwarf``, which few targets need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["StructType"]


class StructType(NamedTuple):
    """A struct's size in bytes, and where each member begins, in bytes."""

    size: int
    offsets: Mapping[str, int]
