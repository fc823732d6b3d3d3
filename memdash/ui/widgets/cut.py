"""Text cut and padded to a number of terminal cells."""

from __future__ import annotations

from typing import Literal, TypeAlias

from rich.cells import cell_len, set_cell_size

from memdash.model.profile import without_folders

__all__ = ["Where", "cut", "fill", "whole_parts", "width_of"]

_LEAST_NAME = 20
"""Of a name so much is left, or as much of what follows it as fits."""

Where: TypeAlias = Literal["start", "middle", "end", "function"]


def width_of(text: str) -> int:
    """Cells that ``text`` takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, width: int, where: Where = "end", ellipsis: str = "…") -> str:
    """``text`` in at most ``width`` cells; what was lost is marked by the ellipsis, one cell wide."""
    if width_of(text) <= width:
        return text
    if width <= 0:
        return ""
    room = width - 1
    if where == "function":
        return _cut_function(text, width, ellipsis)
    if where == "end":
        return _head(text, room) + ellipsis
    if where == "start":
        return ellipsis + _tail(text, room)
    return _head(text, room - room // 2) + ellipsis + _tail(text, room // 2)


def whole_parts(text: str, width: int, between: str = " · ", ellipsis: str = "…") -> str:
    """The first parts of ``text`` that fit whole, those that tell most; an ellipsis stands for the others.

    A name that takes the room of all others is shortened for them; what has one part alone is cut at its end.
    """
    if width_of(text) <= width:
        return text
    first, *others = text.split(between)
    rest = "".join(f"{between}{other}" for other in others)
    if rest and " " not in first and width - width_of(rest) >= _LEAST_NAME:
        return cut(first, width - width_of(rest), "function", ellipsis) + rest
    end = f"{between}{ellipsis}"
    kept = first
    for other in others:
        if width_of(f"{kept}{between}{other}{end}") > width:
            break
        kept = f"{kept}{between}{other}"
    return f"{kept}{end}" if others and width_of(f"{kept}{end}") <= width else cut(first, width, "end", ellipsis)


def _cut_function(function: str, width: int, ellipsis: str) -> str:
    """A function loses the folders of its package first, unmarked if the rest just fits; then its middle.

    One of Python's, which has dots alone, loses packages and modules, but not its class.
    """
    name = without_folders(function)
    if name != function and width_of(name) < width:
        return ellipsis + name
    if "(" not in function and "[" not in function:
        while width_of(name) >= width and name.count(".") > 1:
            name = name.partition(".")[2]
        if name != function and width_of(name) < width:
            return ellipsis + name
    return cut(name, width, "middle", ellipsis)


def fill(text: str, width: int, *, right: bool = False) -> str:
    """``text`` padded with spaces to ``width`` cells; longer text stays as it is."""
    blank = " " * (width - width_of(text))
    return blank + text if right else text + blank


def _head(text: str, width: int) -> str:
    return text[:width] if text.isascii() else set_cell_size(text, width)


def _tail(text: str, width: int) -> str:
    if text.isascii():
        return text[len(text) - width :] if width else ""
    return set_cell_size(text[::-1], width)[::-1]
