"""Where one is in a tree of boxes: what takes the full width, which box is chosen, which levels are in view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from memdash.tables.boxes import Boxes
from memdash.ui.widgets.tiles import Tile, Zoom, tiled

__all__ = ["BoxCursor", "Choice"]


class Choice(NamedTuple):
    """The box that is chosen; or, of what is in it and narrower than a cell, what stands at a ``place``."""

    box: int = 0
    place: int = -1


_ROOT = Choice()

_MOST_LINES = 3
"""A box has no more to say."""


class BoxCursor:
    """Levels are counted from 0, the root's. Where there are no boxes, or no room, there are none."""

    def __init__(self, boxes: Boxes, zooms: Sequence[Zoom] = (), chosen: Choice = _ROOT) -> None:
        """``zooms`` are what has been zoomed into, outermost first.

        ``top`` is the first level in view, and ``rise`` the number of lines that each is given.
        """
        self.boxes = boxes
        self.zooms = list(zooms)
        self.chosen = chosen
        self.top = 0
        self.rise = 1
        self._trail: dict[int, Choice] = {}
        self._width = self._height = 0
        self._lines: list[list[Tile]] = []

    # What is to be seen

    @property
    def zoom(self) -> Zoom:
        """What takes the full width."""
        return self.zooms[-1] if self.zooms else Zoom()

    @property
    def above(self) -> int:
        """How many levels lie above that."""
        return self.boxes.depths[self.zoom.box] if self._lines else 0

    @property
    def levels(self) -> int:
        """How many there are."""
        return self.above + len(self._lines)

    def tiles(self, level: int) -> Sequence[Tile]:
        """What a level shows, from left to right: a caller of what is zoomed into has the full width too."""
        if level < self.above:
            return (Tile(0, self._width, self.boxes.path(self.zoom.box)[level]),)
        return self._lines[level - self.above] if level < self.levels else ()

    def tile_at(self, level: int, cell: int) -> Tile | None:
        """The tile that has a cell."""
        return next((tile for tile in self.tiles(level) if tile.start <= cell < tile.end), None)

    @property
    def found(self) -> tuple[int, Tile] | None:
        """The level and tile of what is chosen, or that of the many it is among; None where it is not to be seen."""
        box, place = self.chosen
        if not self._lines:
            return None
        depth = self.boxes.depths[box]
        found = self._tile_of(depth, box)
        if found is None and box:
            parent = self.boxes.parents[box]
            found = self._tile_of(depth, parent, self.boxes.inner[parent].index(box))
        if found is None or found.is_several or place < 0:
            return None if found is None else (depth, found)
        found = self._tile_of(depth + 1, box, place)
        return None if found is None else (depth + 1, found)

    def _tile_of(self, level: int, box: int, place: int = -1) -> Tile | None:
        for tile in self.tiles(level):
            if tile.box == box and (tile.first <= place < tile.last if tile.is_several else place < 0):
                return tile
        return None

    def fit(self, width: int, height: int) -> None:
        """Lay out for so many cells and lines: a level gets up to three of these where all have room for it."""
        self._width, self._height = width, height
        self._lines = tiled(self.boxes, self.zoom, width) if self.boxes.parents else []
        self.rise = min(max(height // self.levels, 1), _MOST_LINES) if self.levels else 1
        self._settle()

    @property
    def in_view(self) -> range:
        """The levels that the view has room for."""
        return range(self.top, min(self.top + self._height // self.rise, self.levels))

    def _settle(self) -> None:
        """Scroll so far that what is chosen is in view."""
        found = self.found
        shown = self._height // self.rise
        if found is not None and shown > 0:
            self.top = max(min(self.top, found[0]), found[0] - shown + 1)
        self.scroll(0)

    def scroll(self, by: int) -> None:
        """Move the view by levels, within what there is."""
        self.top = max(min(self.top + by, self.levels - self._height // self.rise), 0)

    # Moving

    def begin(self) -> None:
        """Where there is no room for all levels, choose what is worth a look: where the root's trunk ends."""
        if self.levels > len(self.in_view):
            self.chosen = Choice(self.boxes.trunk_end())
            self.top = self.boxes.depths[self.chosen.box] - self._height // 3
            self._settle()

    def choose(self, choice: Choice) -> None:
        """Choose something, and zoom as far as that takes to be seen by itself."""
        self.chosen = choice
        outer = self.boxes.parents[choice.box]
        for zoom in (Zoom(outer), Zoom(choice.box)):
            found = self.found
            if outer >= 0 and (found is None or (found[1].is_several and choice.place < 0)):
                self._zoom_to(zoom, choice)
        self._settle()

    def deeper(self) -> None:
        """Into what is chosen: to where one was before, or to the widest."""
        found = self.found
        if found is not None and not found[1].is_several:
            level, over = found
            inside = [tile for tile in self.tiles(level + 1) if over.start <= tile.start < over.end]
            before = self._trail.get(over.box)
            same = next((tile for tile in inside if before == (tile.box, tile.first)), None)
            self._go(same or max(inside, key=lambda tile: tile.end - tile.start, default=None))

    def outward(self) -> None:
        """To the box that holds what is chosen."""
        box, place = self.chosen
        outer = box if place >= 0 else self.boxes.parents[box] if self._lines else -1
        if outer >= 0:
            self._trail[outer] = self.chosen
            self.chosen = Choice(outer)
        self._settle()

    def beside(self, step: int) -> None:
        """To the next (1) or previous (-1) tile of the level."""
        found = self.found
        if found is not None:
            tiles = self.tiles(found[0])
            at = tiles.index(found[1]) + step
            self._go(tiles[at] if 0 <= at < len(tiles) else None)

    def page(self, step: int) -> None:
        """A screenful of levels deeper (1), as far as there are any below what is chosen, or back (-1)."""
        found = self.found
        if found is not None:
            level, over = found
            shown = max(self._height // self.rise, 2)
            wanted = min(max(level + step * (shown - 1), 0), self.levels - 1)
            middle = (over.start + over.end) // 2
            under = (self.tile_at(towards, middle) for towards in range(wanted, level, -step))
            self._go(next((tile for tile in under if tile is not None), None))

    def _go(self, tile: Tile | None) -> None:
        """Choose what a tile stands for; without one, only bring back into view what is chosen."""
        if tile is not None:
            self.chosen = Choice(tile.box, tile.first)
        self._settle()

    # Zooming

    def zoom_in(self) -> bool:
        """Give what is chosen the full width; False when it has that already."""
        found = self.found
        if found is None:
            return False
        tile, inner = found[1], self.boxes.inner[found[1].box]
        zoom, chosen = Zoom(tile.box), Choice(tile.box)
        if tile.is_several and tile.first < len(inner):
            zoom, chosen = Zoom(tile.box, tile.first, tile.last), Choice(inner[tile.first])
        if zoom == self.zoom:
            return False
        self._zoom_to(zoom, chosen)
        return True

    def zoom_out(self) -> bool:
        """Undo the last zoom; False when there is none."""
        if not self.zooms:
            return False
        self.zooms.pop()
        self._look(self.chosen)
        return True

    def zoom_out_fully(self) -> None:
        """Show all, with the root chosen."""
        self.zooms.clear()
        self._look(_ROOT)

    def _zoom_to(self, zoom: Zoom, chosen: Choice) -> None:
        while self.zooms and not self._encloses(self.zooms[-1], zoom):
            self.zooms.pop()
        if zoom.box or zoom.is_of_some:
            self.zooms.append(zoom)
        self._look(chosen)

    def _encloses(self, outer: Zoom, inner: Zoom) -> bool:
        """Whether ``inner`` is part of what ``outer`` shows."""
        path = self.boxes.path(inner.box)
        if outer.box not in path or inner == outer:
            return False
        if not outer.is_of_some:
            return True
        if inner.box == outer.box:
            return inner.is_of_some and outer.first <= inner.first and inner.last <= outer.last
        into = path[path.index(outer.box) + 1]
        return self.boxes.inner[outer.box].index(into) in range(outer.first, outer.last)

    def _look(self, chosen: Choice) -> None:
        """Lay out anew, with some of the callers in view above what is zoomed into."""
        self.chosen = chosen
        self.top = max(self.boxes.depths[self.zoom.box] - max(self._height // 3, 1), 0) if self.boxes.depths else 0
        self.fit(self._width, self._height)
