"""Texts of the target in lines that lose nothing of them."""

from __future__ import annotations

from collections.abc import Sequence

from memdash.model.profile import Frame
from memdash.plain import plain
from memdash.ui.widgets.cut import width_of
from memdash.ui.widgets.words import Part

__all__ = ["folded", "stack_lines"]

_INDENT = " " * 6
"""Before the place of a frame that has a line to itself."""


def folded(text: str, width: int, look: str) -> list[list[Part]]:
    """All of a text that must not lose anything, in lines of at most ``width`` characters."""
    text = plain(text)
    return [[Part(text[start : start + width], look)] for start in range(0, max(len(text), 1), max(width, 8))]


def stack_lines(stack: Sequence[Frame], marked: Frame, width: int) -> list[list[Part]]:
    """A frame a line, innermost first, with its file and line; an arrow at those that are ``marked``."""
    lines: list[list[Part]] = []
    for frame in stack:
        mark, look = ("→ ", "strong") if frame == marked else ("  ", "plain")
        name, place = f"  {mark}{frame.function}  ", frame.where()
        if width_of(name) + width_of(place) <= width:
            lines.append([Part(name, look), Part(place, "faint")])
        else:
            lines += folded(name, width, look)
            lines += [[Part(_INDENT), *line] for line in folded(place, width - len(_INDENT), "faint")]
    return lines
