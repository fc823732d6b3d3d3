"""Which arrangement suits a size of terminal."""

from __future__ import annotations

from enum import Enum

__all__ = ["Shape", "shape_of"]


class Shape(Enum):
    """The value is the CSS class that the dashboard carries."""

    LINE = "-line"
    STRIP = "-strip"
    STACKED = "-stacked"
    TWO = "-two"
    THREE = "-three"


def shape_of(width: int, height: int) -> Shape:
    """Three columns from 150×30, two from 104×30, stacked with tabs from 76×20, a strip from 50×10, else one line."""
    if width < 50 or height < 10:
        return Shape.LINE
    if width < 76 or height < 20:
        return Shape.STRIP
    if width < 104 or height < 30:
        return Shape.STACKED
    return Shape.TWO if width < 150 else Shape.THREE
