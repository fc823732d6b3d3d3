"""An icicle: boxes hang in the box that they are in, the root at the top, each line a level deeper.

Only what is in view is laid out and painted, however many boxes there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from memdash.plain import plain
from memdash.tables.boxes import Boxes
from memdash.ui.command import ICICLE
from memdash.ui.commands import bindings
from memdash.ui.widgets.box_cursor import BoxCursor, Choice
from memdash.ui.widgets.cut import cut, width_of
from memdash.ui.widgets.paint import Line, Painted
from memdash.ui.widgets.tiles import Tile

__all__ = ["Face", "Icicle"]

_LEAST_FOR_A_NAME = 3
_LEAST_FOR_A_PLACE = 6
_ROOM_FOR_PACKAGE = 12
_GAP = 2
_WHEEL_LEVELS = 3


class Face(NamedTuple):
    """What a box looks like: words, figures of which the first that fits is shown, a look, and its first character.

    ``place`` is only shown where there is a third line for it.
    """

    name: str
    figures: Sequence[str] = ()
    place: str = ""
    look: str = "plain"
    mark: str = ""


class Icicle(Painted, can_focus=True):
    """Shows boxes, one of them chosen; says ``Moved`` when that, or what is in view, has changed."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(ICICLE)

    @dataclass
    class Moved(Message):
        """Another box is chosen, or other levels are in view; ``zoomed`` when another box takes the full width."""

        icicle: Icicle
        zoomed: bool = False

        @property
        def control(self) -> Icicle:
            """Where it happened."""
            return self.icicle

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own parameter name
        super().__init__(id=id)
        self.cursor = BoxCursor(Boxes.of([]))
        self._face: Callable[[int], Face] = lambda _: Face("")
        self._empty = ""
        self._strips: dict[int, Strip] = {}
        self._marked: tuple[int, Tile] | None = None
        self._laid_out: tuple[object, ...] = ()

    def show_boxes(self, cursor: BoxCursor, face: Callable[[int], Face], empty: str = "") -> None:
        """Show the boxes that ``cursor`` is in, each as its ``face``; ``empty`` says why there are none."""
        cursor.top = self.cursor.top
        self.cursor, self._face, self._empty = cursor, face, empty
        self._lay_out()
        self._laid_out = ()
        self.look_again()

    def begin(self) -> None:
        """Look first at where it begins to branch, if there is no room for all."""
        self.cursor.begin()
        self._moved()

    def look_again(self) -> None:
        """Paint all anew: the faces are others."""
        self._strips.clear()
        self.refresh()

    def choose(self, choice: Choice) -> None:
        """Choose something, and zoom as far as that takes to be seen."""
        before = self.cursor.zoom
        self.cursor.choose(choice)
        self._moved(zoomed=before != self.cursor.zoom)

    def zoom_out(self) -> bool:
        """Undo the last zoom; False when there is none."""
        if not self.cursor.zoom_out():
            return False
        self._moved(zoomed=True)
        return True

    # Keys

    def action_deeper(self) -> None:
        """Into what the box holds."""
        self.cursor.deeper()
        self._moved()

    def action_outward(self) -> None:
        """To the box that this one is in."""
        self.cursor.outward()
        self._moved()

    def action_beside(self, step: int) -> None:
        """To the next (1) or previous (-1) box of the level."""
        self.cursor.beside(step)
        self._moved()

    def action_levels(self, step: int) -> None:
        """A screenful of levels deeper (1) or back (-1)."""
        self.cursor.page(step)
        self._moved()

    def action_zoom_in(self) -> None:
        """Give the box the full width."""
        if self.cursor.zoom_in():
            self._moved(zoomed=True)

    def action_root(self) -> None:
        """Show all."""
        self.cursor.zoom_out_fully()
        self._moved(zoomed=True)

    def _moved(self, *, zoomed: bool = False) -> None:
        """Paint what has changed: without a zoom or a scroll, the levels that the cursor has left and come to."""
        cursor = self.cursor
        before, self._marked = self._marked, cursor.found
        stood, self._laid_out = self._laid_out, (cursor.top, cursor.rise, cursor.zoom, cursor.levels)
        if stood == self._laid_out:
            levels = {found[0] for found in (before, self._marked) if found is not None}
            lines = [(level - cursor.top) * cursor.rise + part for level in levels for part in range(cursor.rise)]
            for line in lines:
                self._strips.pop(line, None)
            self.repaint_lines(line for line in lines if 0 <= line < self.inner.height)
        else:
            self.look_again()
        self.post_message(self.Moved(self, zoomed))

    # The mouse

    async def _on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        tile = None if offset is None else self.cursor.tile_at(self._level(offset.y), offset.x)
        if tile is None:
            return
        again = event.chain == 2 and self.cursor.chosen == (tile.box, tile.first)
        self.cursor.choose(Choice(tile.box, tile.first))
        self._moved()
        if again:
            self.action_zoom_in()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll(_WHEEL_LEVELS)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll(-_WHEEL_LEVELS)

    def _scroll(self, levels: int) -> None:
        self.cursor.scroll(levels)
        self._moved()

    # Painting

    def _lay_out(self) -> None:
        self.cursor.fit(*self.inner)

    def forget(self) -> None:
        """Drop what was painted."""
        self._strips.clear()

    def _on_resize(self, event: events.Resize) -> None:
        del event
        self._lay_out()
        self._laid_out = ()
        self._moved()

    def render_line(self, y: int) -> Strip:
        """One level, or nothing."""
        width = self.inner.width  # forgets what was painted for another
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._painted(y, width)
        return strip

    def _painted(self, y: int, width: int) -> Strip:
        line, cursor = self.line(), self.cursor
        if not cursor.levels:
            reason = wrap(self._empty, max(width, 8))
            line.field(reason[y] if y < len(reason) else "", width, "faint")
            return line.strip(width)
        level, found, at = self._level(y), cursor.found, 0
        part = y % cursor.rise
        for tile in cursor.tiles(level):
            line.drawn("", tile.start - at, "plain")
            is_chosen = found == (level, tile)
            shade = "-odd" if level % 2 else ""
            if tile.is_several:
                self._paint_several(line, tile, part, shade, is_chosen=is_chosen)
            else:
                look = "chosen" if is_chosen else "above" if level < cursor.above else ""
                self._paint_box(line, tile, part, shade, look)
            at = tile.end
        return line.strip(width)

    def _level(self, y: int) -> int:
        return self.cursor.top + y // self.cursor.rise

    def _paint_several(self, line: Line, tile: Tile, part: int, shade: str, *, is_chosen: bool) -> None:
        drawn = self.glyphs.several * (tile.end - tile.start)
        if is_chosen and not part:
            drawn = self.glyphs.pointer + drawn[1:]
        line.drawn(drawn, len(drawn), "chosen" if is_chosen else f"several{shade}")

    def _paint_box(self, line: Line, tile: Tile, part: int, shade: str, look: str) -> None:
        """Its name and figures, and its place: one on each line it has. ``look`` is its face's when it is empty."""
        glyphs, face, room = self.glyphs, self._face(tile.box), tile.end - tile.start - 1
        mark = glyphs.pointer if look == "chosen" else glyphs.text(face.mark)
        look = f"{look or face.look}{shade}"
        if mark and not part:
            line.drawn(mark, 1, look)
        else:
            line.drawn(glyphs.edge, 1, f"{look}-edge")
        name = glyphs.text(plain(face.name))
        if mark and width_of(name) < room:  # below its mark a name is read more easily with a space before it
            line.drawn("", 1, look)
            room -= 1
        is_low = self.cursor.rise == 1
        left = room - width_of(name) - _GAP if is_low else room
        figures = next((one for text in face.figures if width_of(one := glyphs.text(text)) <= left), "")
        if part == 0 and is_low and figures:
            line.field(f"{name}{' ' * _GAP}{figures}", room, look)
        elif part == 0:
            line.field(_label(name, room, glyphs.ellipsis), room, look)
        elif part == 1:
            line.field(figures if room >= _LEAST_FOR_A_NAME else "", room, look)
        else:
            line.field(face.place if room >= _LEAST_FOR_A_PLACE else "", room, look, where="start")


def _label(name: str, room: int, ellipsis: str) -> str:
    """A function's name in at most ``room`` cells; where these are few, what follows its last dot, or nothing."""
    if room >= _ROOM_FOR_PACKAGE or width_of(name) <= room:
        return cut(name, room, "function", ellipsis)
    path = name.partition("[")[0]
    last = path[path.rfind(".") + 1 :] or name
    if width_of(last) < room:
        return ellipsis + last
    return cut(last, room, "end", ellipsis) if room >= _LEAST_FOR_A_NAME else ""
