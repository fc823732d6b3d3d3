"""The base of all our widgets: lines of cells, painted only where they changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from memdash.plain import plain
from memdash.ui.glyphs import UNICODE, Glyphs
from memdash.ui.theme import Palette
from memdash.ui.widgets.cut import Where, cut, fill, whole_parts, width_of

__all__ = ["Line", "Painted"]


class Line:
    """One line being written from left to right: runs of text, each in a look of the palette.

    Neighbouring runs of one style become one segment: a terminal line costs by its segments.
    """

    def __init__(self, palette: Palette, glyphs: Glyphs) -> None:
        self._palette = palette
        self._glyphs = glyphs
        self._runs: list[tuple[str, Style]] = []
        self.width = 0

    def write(self, text: str, look: str = "plain", *, click: str = "") -> None:
        """Add our own words; ``click`` names the action that a click on them runs."""
        text = self._glyphs.text(text)
        style = self._palette[look]
        if click:
            style += Style.from_meta({"@click": click})
        self._add(text, width_of(text), style)

    def space(self, width: int) -> None:
        """Add ``width`` blanks; they take the style of what stands before them."""
        if width > 0:
            self._add(" " * width, width, self._runs[-1][1] if self._runs else self._palette["plain"])

    def field(self, text: str, width: int, look: str = "plain", *, right: bool = False, where: Where = "end") -> None:
        """Add any text, safe to show and cut or padded to exactly ``width`` cells."""
        shown = cut(self._glyphs.text(plain(text)), width, where, self._glyphs.ellipsis)
        self._add(fill(shown, width, right=right), width, self._palette[look])

    def drawn(self, text: str, width: int, look: str) -> None:
        """Add glyphs of our own, one cell each, padded to ``width`` cells."""
        self._add(text.ljust(width), width, self._palette[look])

    def words(self, text: str, look: str = "plain", *, room: int) -> None:
        """Add any text, safe to show and cut to at most ``room`` cells."""
        shown = cut(self._glyphs.text(plain(text)), room, "end", self._glyphs.ellipsis)
        self._add(shown, width_of(shown), self._palette[look])

    def extend(self, other: Line) -> None:
        """Add all of another line."""
        for text, style in other._runs:
            self._add(text, width_of(text), style)

    def _add(self, text: str, width: int, style: Style) -> None:
        self.width += width
        if self._runs and self._runs[-1][1] is style:
            self._runs[-1] = (self._runs[-1][0] + text, style)
        elif text:
            self._runs.append((text, style))

    def strip(self, width: int, ground: str = "") -> Strip:
        """The line in exactly ``width`` cells, on the background look ``ground`` when one is named."""
        if not ground:
            segments = [Segment(text, style) for text, style in self._runs]
            return Strip(segments, self.width).adjust_cell_length(width, self._palette["plain"])
        over = self._palette[ground]
        segments = [Segment(text, style + over) for text, style in self._runs]
        return Strip(segments, self.width).adjust_cell_length(width, over)


_CORNERS = 6
"""Cells of a border line that its words leave free."""


class Painted(Widget):
    """A widget that draws lines. Subclasses implement ``render_line`` and forget nothing when theme or size change.

    Textual works out sizes and themes anew whenever they are asked for, at 0.1 ms a time; here they are kept.
    """

    glyphs: Glyphs = UNICODE
    _palette: Palette | None = None
    _outer = Size(-1, -1)
    _inner = Size(0, 0)

    def line(self) -> Line:
        """A fresh line in this widget's palette and glyphs."""
        return Line(self.palette, self.glyphs)

    @property
    def palette(self) -> Palette:
        """The colours of the theme in force."""
        if self._palette is None:
            self._palette = _palette_of(self.app.current_theme)
        return self._palette

    @property
    def inner(self) -> Size:
        """Columns and rows inside border and padding."""
        if self.outer_size != self._outer:
            self._outer, self._inner = self.outer_size, self.size
            self.forget()
        return self._inner

    @property
    def border_room(self) -> int:
        """Cells that words in the border may take."""
        return max((self.outer_size.width or self.app.size.width) - _CORNERS, 0)

    def entitle(self, title: Content | str, remark: Content | str = "") -> None:
        """Write words into the border, above and below: of what is parted by ``·`` the first parts that fit."""
        room = self.border_room
        self.border_title = self._fitting(title, room) if isinstance(title, str) else title
        self.border_subtitle = self._fitting(remark, room) if isinstance(remark, str) else remark

    def _fitting(self, text: str, room: int) -> Content:
        between = self.glyphs.text(" · ")
        return Content(whole_parts(self.glyphs.text(plain(text)), room, between, self.glyphs.ellipsis))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """None where every colour is a true one already: Textual's would only make a copy of each line."""
        return super().get_line_filters() if self.app.no_color or self.app.current_theme.ansi else ()

    def repaint_lines(self, lines: Iterable[int]) -> None:
        """Paint these content lines again, borders included: a whole line needs no cropping."""
        left, width = -self.gutter.left, self.outer_size.width
        self.refresh(*(Region(left, y, width, 1) for y in lines))

    def notify_style_update(self) -> None:
        """The theme or a class changed: nothing painted so far can be kept."""
        self._palette = None
        self._outer = Size(-1, -1)
        self.forget()
        super().notify_style_update()

    def forget(self) -> None:
        """Drop what was kept from earlier paintings."""


_palettes: dict[str, Palette] = {}


def _palette_of(theme: Theme) -> Palette:
    """The palette of ``theme``, made once."""
    if theme.name not in _palettes:
        _palettes[theme.name] = Palette(theme)
    return _palettes[theme.name]
