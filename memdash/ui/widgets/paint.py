"""The base of all our widgets: lines of cells, painted only where they changed."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from memdash.plain import plain
from memdash.ui.glyphs import UNICODE, Glyphs
from memdash.ui.theme import Palette
from memdash.ui.widgets.cut import Where, cut, fill, width_of

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


class Painted(Widget):
    """A widget that draws lines. Subclasses implement ``render_line`` and forget nothing when the theme changes."""

    glyphs: Glyphs = UNICODE

    def line(self) -> Line:
        """A fresh line in this widget's palette and glyphs."""
        return Line(self.palette, self.glyphs)

    @property
    def palette(self) -> Palette:
        """The colours of the theme in force."""
        return palette_of(self)

    def repaint_line(self, y: int) -> None:
        """Paint the content line ``y`` again, borders included: a whole line needs no cropping."""
        self.refresh(Region(-self.gutter.left, y, self.outer_size.width, 1))

    def notify_style_update(self) -> None:
        """The theme or a class changed: nothing painted so far can be kept."""
        self.forget()
        super().notify_style_update()

    def forget(self) -> None:
        """Drop what was kept from earlier paintings."""


_palettes: dict[str, Palette] = {}


def palette_of(widget: Widget) -> Palette:
    """The palette of the theme that the widget's app shows, made once a theme."""
    theme = widget.app.current_theme
    if theme.name not in _palettes:
        _palettes[theme.name] = Palette(theme)
    return _palettes[theme.name]
