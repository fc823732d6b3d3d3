"""Boxes into cells: where each begins and ends, in whole numbers, so that nothing drifts however deep it goes.

An edge lies at ``offset * width // whole``, with the offset from the left end of all that is shown, not of the box that
it is in. The same offset is thus the same cell in every line: boxes never overlap, and never leave the one they are in.
"""

from __future__ import annotations

from typing import NamedTuple

from memdash.tables.boxes import Boxes

__all__ = ["Tile", "Zoom", "tiled"]


class Zoom(NamedTuple):
    """What takes the full width: a ``box``, or of the boxes in it those from ``first`` up to before ``last``."""

    box: int = 0
    first: int = 0
    last: int = -1

    @property
    def is_of_some(self) -> bool:
        """It is only some of what is in the box."""
        return self.last >= 0


class Tile(NamedTuple):
    """The cells from ``start`` to before ``end``: a ``box``, or several in it that are each narrower than a cell.

    Of several, ``first`` and ``last`` are the places among ``inner`` of their ``box``; a place after the last of these
    is the rest.
    """

    start: int
    end: int
    box: int
    first: int = -1
    last: int = -1

    @property
    def is_several(self) -> bool:
        """Whether it stands for boxes that are narrower than a cell."""
        return self.first >= 0


_SEVERAL_AT_MOST = 8
"""Cells of one tile for many boxes: those of a wide run can thus be told apart, zoom by zoom."""


class _Frame(NamedTuple):
    """How weights become cells."""

    whole: int
    width: int

    def cell(self, offset: int) -> int:
        return offset * self.width // self.whole


def tiled(boxes: Boxes, zoom: Zoom, width: int) -> list[list[Tile]]:
    """Lines of tiles from left to right, the first that of the box zoomed into; empty where there is no room or weight.

    Costs by what can be seen, and by the boxes right in that: what is narrower than a cell is not looked into.
    """
    inner = boxes.inner[zoom.box]
    last = zoom.last if zoom.is_of_some else len(inner) + 1
    whole = boxes.weights[zoom.box]
    if zoom.is_of_some:
        whole = sum(_weight(boxes, zoom.box, place) for place in range(zoom.first, last))
    if width <= 0 or whole <= 0:
        return []
    frame = _Frame(whole, width)
    lines = [[Tile(0, width, zoom.box)]]
    level, tiles = _inside(boxes, zoom.box, 0, range(zoom.first, last), frame)
    while tiles:
        lines.append(tiles)
        above, level, tiles = level, [], []
        for box, offset in above:
            deeper, more = _inside(boxes, box, offset, range(len(boxes.inner[box]) + 1), frame)
            level += deeper
            tiles += more
    return lines


def _weight(boxes: Boxes, box: int, place: int) -> int:
    inner = boxes.inner[box]
    return boxes.weights[inner[place]] if place < len(inner) else boxes.rests[box]


def _inside(
    boxes: Boxes, box: int, offset: int, places: range, frame: _Frame
) -> tuple[list[tuple[int, int]], list[Tile]]:
    """What is in a box that begins at ``offset``: the boxes to look into, with their offsets, and the tiles."""
    inner = boxes.inner[box]
    wide: list[tuple[int, int]] = []
    tiles: list[Tile] = []
    narrow_from, narrow_at = -1, 0
    for place in places:
        weight = _weight(boxes, box, place)
        is_wide = place < len(inner) and weight * frame.width >= frame.whole
        if is_wide and narrow_from >= 0:
            tiles += _several(box, narrow_from, place, frame.cell(narrow_at), frame.cell(offset))
            narrow_from = -1
        if is_wide:
            wide.append((inner[place], offset))
            tiles.append(Tile(frame.cell(offset), frame.cell(offset + weight), inner[place]))
        elif narrow_from < 0:
            narrow_from, narrow_at = place, offset
        elif frame.cell(offset) - frame.cell(narrow_at) >= _SEVERAL_AT_MOST:
            tiles += _several(box, narrow_from, place, frame.cell(narrow_at), frame.cell(offset))
            narrow_from, narrow_at = place, offset
        offset += weight
    if narrow_from >= 0:
        tiles += _several(box, narrow_from, places.stop, frame.cell(narrow_at), frame.cell(offset))
    return wide, tiles


def _several(box: int, first: int, last: int, start: int, end: int) -> list[Tile]:
    """One tile for narrow boxes, if together they have a cell."""
    return [Tile(start, end, box, first, last)] if end > start else []
